import { compareAssessments } from '../assess/compare/compare.ts';
import { comparisonToJson } from '../assess/compare/comparison-json.ts';
import { renderComparisonHtml } from '../report/compare/html.ts';
import { renderComparisonText } from '../report/compare/text.ts';
import { type Command, EXIT } from './command.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis compare`: assessments side by side, with a test behind every difference. */
export const command: Command = {
  usage: 'compare A.json B.json [C.json …] [options]',
  about:
    'Holds assessments of other models against the first one, sample by sample: clean accuracy, every attack that all have in common, and the worst case at each budget. A difference is claimed only with a p-value below 0.05, corrected for the number of tests. The per-sample files must lie below the folder of their result.',
  options: {
    json: { value: 'FILE', help: 'the comparison as JSON' },
    report: { value: 'FILE', help: 'the comparison as one HTML file' },
    unpaired: { help: 'compare although data or samples differ; sees less, and says so' },
    root: {
      value: 'FOLDER',
      help: "folder below which per-sample files may lie, where they are not below their result's own",
    },
    'fail-if-fewer': { help: 'leave with 1 when a later model keeps fewer answers right in any row' },
  },
  examples: [
    ['glacis compare before/assessment.json after/assessment.json', 'did hardening help?'],
    [
      'glacis compare v1/assessment.json v2/assessment.json --report compare.html --fail-if-fewer',
      'in a pipeline: exit code 1 when the new release is shown to be weaker',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [json, report] = [given.text('json'), given.text('report')];
    for (const path of [json, report]) if (path !== undefined) await prepareFile(path);
    const comparison = await compareAssessments(given.positionals, {
      unpaired: given.flag('unpaired'),
      root: given.text('root'),
      signal,
    });
    if (json !== undefined) await writeText(json, comparisonToJson(comparison));
    if (report !== undefined) await writeText(report, renderComparisonHtml(comparison));
    terminal.print(renderComparisonText(comparison, { width: terminal.width }));
    if (report !== undefined) terminal.say(`Report: ${report}`);
    if (json !== undefined) terminal.say(`Result: ${json}`);
    const fewer = comparison.rows.some(({ contrasts }) =>
      contrasts.some(({ verdict }) => verdict === 'lower'),
    );
    return given.flag('fail-if-fewer') && fewer ? EXIT.negative : EXIT.good;
  },
};

import { join } from 'node:path';
import { type AssessOptions, assess } from '../assess/assess.ts';
import { LEVELS, QUICK_SAMPLES } from '../assess/levels.ts';
import { SEVERITIES } from '../assess/result.ts';
import { toJson } from '../assess/result-json.ts';
import { planAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import { parseSpecs } from '../core/options.ts';
import { renderHtml } from '../report/html.ts';
import { renderText } from '../report/text.ts';
import { epsFrom, normFrom } from '../threat/norm.ts';
import { type Command, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { FAIL_ON, isGrave } from './fail-on.ts';
import { galleryFrom } from './gallery.ts';
import {
  ENGINE_OPTIONS,
  EPS_HELP,
  engineOptionsFrom,
  LOAD_OPTIONS,
  loadOptionsFrom,
  SURROGATE_OPTIONS,
  surrogateFrom,
  TOWARDS_OPTION,
  towardsIn,
} from './load-options.ts';
import { folderPrefix, prepareFile, prepareFolder, writeText } from './output.ts';

/** `glacis assess`: attacks, verified results, report. */
export const command: Command = {
  usage: 'assess MODEL --data DATA [options]',
  about:
    'Attacks the model with every attack at every eps, runs each example through the model file again, and says what is left of its accuracy. Writes a JSON result, an HTML report and the outcome of every sample.',
  options: {
    ...LOAD_OPTIONS,
    ...SURROGATE_OPTIONS,
    suite: { value: 'SUITES', help: 'what to assess: evasion' },
    attacks: {
      value: 'LIST',
      help: 'attacks with options in parentheses, e.g. "fgsm,pgd(steps=100, restarts=5)" (those of the level unless given); "glacis attack --list" shows them all',
    },
    level: {
      value: 'LEVEL',
      help: `how much to do: ${LEVELS.join(', ')} (quick unless given: about a minute for a small model, the first ${QUICK_SAMPLES} samples)`,
    },
    norm: { value: 'NORM', help: 'how a change is measured: linf, l2, l1 or l0 (linf unless given)' },
    eps: { value: 'LIST', help: `${EPS_HELP}; several make a curve: 0.1,0.2 or 2/255,8/255` },
    corruptions: {
      help: 'also run the 15 common corruptions at five severities (at level exhaustive they always run on pictures)',
    },
    members: {
      value: 'DATA',
      help: 'the data that the model was trained on, stored like --data: shows how differently it treats them',
    },
    towards: TOWARDS_OPTION,
    seed: { value: 'SEED', help: 'seed of all random draws (0 unless given)' },
    ...ENGINE_OPTIONS,
    out: { value: 'DIR', help: 'folder for the results (glacis-out unless given)' },
    json: { value: 'FILE', help: 'where the JSON result goes (DIR/assessment.json unless given)' },
    report: { value: 'FILE', help: 'where the HTML report goes (DIR/report.html unless given)' },
    resume: { help: 'go on from the checkpoint that an interrupted run left in DIR' },
    'fail-on': FAIL_ON,
  },
  examples: [
    ['glacis assess model.onnx --data test.npz', 'the usual attacks with the usual budget'],
    [
      "glacis assess mnist.onnx --data images.gz,labels.gz --n 1000 --eps 0.1,0.2,0.3 --attacks 'fgsm,pgd(steps=40, stepSize=0.01, restarts=0)'",
      'three budgets, attacks with options',
    ],
    [
      'glacis assess model.onnx --data test.npz --fail-on high',
      'in a pipeline: exit code 1 on a grave finding',
    ],
  ],
  async run({ given, args, terminal, signal }) {
    const out = given.text('out') ?? 'glacis-out';
    const json = given.text('json') ?? join(out, 'assessment.json');
    const report = given.text('report') ?? join(out, 'report.html');
    const failOn = given.choice('fail-on', SEVERITIES);
    const suites = (given.text('suite') ?? 'evasion').split(',').map((s) => s.trim());
    const unknown = suites.find((s) => s !== 'evasion');
    if (unknown !== undefined)
      throw new GlacisError('option/unknown', `--suite: expected evasion, got '${unknown}'`);
    const level = given.choice('level', LEVELS);
    const listed = given.text('attacks');
    if (level !== undefined && listed !== undefined)
      throw new GlacisError('option/invalid', '--level: expected it without --attacks, got both');
    const attacks = listed === undefined ? undefined : parseSpecs(listed);
    const options: AssessOptions = {
      ...loadOptionsFrom(given, 'assess'),
      ...surrogateFrom(given),
      ...engineOptionsFrom(given),
      attacks,
      level,
      corruptions: given.flag('corruptions') || undefined,
      members: given.text('members'),
      norm: normFrom(given.text('norm') ?? 'linf'),
      eps: given.text('eps')?.split(',').map(epsFrom),
      towards: towardsIn(given),
      seed: given.whole('seed', 0) ?? 0,
      out,
      perSamplePrefix: folderPrefix(json, out),
      resume: given.flag('resume'),
      signal,
      progress: terminal.progress,
      say: terminal.say,
      command: commandLine(args),
    };
    // Wrong attacks and places that cannot be written are found before any work.
    attacks?.forEach(planAttack);
    await prepareFolder(out);
    await prepareFile(json);
    await prepareFile(report);
    const assessed = await assess(options);
    terminal.clear();
    const { assessment } = assessed;
    await writeText(json, toJson(assessment));
    await writeText(report, renderHtml(assessment, galleryFrom(assessed), assessed.corruptionExamples));
    terminal.print(renderText(assessment, { width: terminal.width }));
    terminal.say(`Report: ${report}\nResult: ${json}`);
    if (assessment.status === 'partial') {
      terminal.say(`Stopped early; the same command with --resume goes on.`);
      return EXIT.unfinished;
    }
    return isGrave(assessment.findings, failOn) ? EXIT.negative : EXIT.good;
  },
};

import { GlacisError } from '../core/error.ts';
import { calibratePast } from '../monitor/past/calibrate-past.ts';
import { visible } from '../report/markup.ts';
import { labelCounts } from '../report/monitor/words.ts';
import { type Command, EXIT } from './command.ts';
import { timeRemark } from './monitor-format.ts';
import { choiceFrom, labelsFrom, PAST_OPTIONS, pastFrom } from './monitor-options.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis monitor calibrate`: what calm traffic is like. */
export const command: Command = {
  usage: 'monitor calibrate PAST… --out FILE [options]',
  about:
    'Measures calm traffic, so that monitors need not learn from the first that comes: thresholds are set so that it raises no alarm, with a margin. PAST as in glacis monitor; nothing in it may be an attack. The file goes to serve.monitors.measured. A log holds no inputs: monitors that look at them need JSON lines with sketches, or CSV with features, and learn from live traffic without. Monitors of accuracy and calibration need --labels: what really was.',
  options: {
    ...PAST_OPTIONS,
    out: { value: 'FILE', help: 'where to write what was measured' },
  },
  examples: [
    ['glacis monitor calibrate ./data --out monitors.json', 'from the decisions of a quiet month'],
    ['glacis monitor calibrate calm.csv --model fraud --out monitors.json', 'from a table with features'],
    [
      'glacis monitor calibrate calm.csv --labels labels.csv --out monitors.json',
      'accuracy and calibration, too',
    ],
  ],
  async run({ given, terminal, signal }) {
    const out = given.text('out');
    if (out === undefined) throw new GlacisError('option/invalid', '--out: expected a FILE, got nothing');
    await prepareFile(out);
    const labels = await labelsFrom(given, signal);
    const measured = await calibratePast(await pastFrom(given), {
      choice: await choiceFrom(given),
      model: given.text('model'),
      labels,
      signal,
      progress: terminal.progress,
    });
    terminal.clear();
    await writeText(out, `${JSON.stringify(measured)}\n`, { mode: 0o600 });
    const lines = Object.entries(measured.models).map(
      ([model, monitors]) => `${visible(model)}: ${Object.keys(monitors).join(', ')}`,
    );
    terminal.print(
      `${measured.calm?.calls ?? 0} calm decisions, measured for\n${lines.map((each) => `  ${each}`).join('\n')}\n`,
    );
    if (labels !== undefined) terminal.print(`${labelCounts(labels.counts())}\n`);
    const remark = timeRemark(given);
    if (remark !== undefined) terminal.say(remark);
    terminal.say(`Written: ${out}`);
    return EXIT.good;
  },
};

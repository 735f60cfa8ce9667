import { endpointSource, isEndpoint } from '../assess/endpoint-source.ts';
import { fileSource } from '../assess/file-source.ts';
import { GlacisError } from '../core/error.ts';
import { adaptDataset, openDataset } from '../data/index.ts';
import type { Scores } from '../gateway/output-guard.ts';
import { type BothScores, verificationThresholds } from '../gateway/verify/index.ts';
import { interval, percent } from '../report/format.ts';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { ENGINE_OPTIONS, engineOptionsFrom, LOAD_OPTIONS } from './load-options.ts';
import { prepareFile, writeText } from './output.ts';

const RATES = [0.01, 0.05];
const MOST = 20_000;
/** Samples on which a model is looked at when it is opened. */
const FIRST = 8;

/** `glacis calibrate verify`: when a second model's answer counts as another one. */
export const command: Command = {
  usage: 'calibrate verify MODEL SECOND --data CALM [options]',
  about:
    'Asks two models about the same calm samples and sets the thresholds of serve.verify, for each of its measures, to stated rates of false alarms: from half of the samples, measured on the other half. Models are files or endpoints.',
  options: {
    data: { ...LOAD_OPTIONS.data!, help: 'calm samples, as they come in service; labels are not needed' },
    attacked: { value: 'DATA', help: 'samples attacked on MODEL, to see how many are found' },
    rates: { value: 'SHARES', help: `rates of false alarms (${RATES.join(',')} unless given)` },
    n: { ...LOAD_OPTIONS.n!, help: `most samples of each data set, drawn at random (${MOST} unless given)` },
    range: LOAD_OPTIONS.range!,
    seed: { value: 'SEED', help: 'seed of the draw (0 unless given)' },
    ...ENGINE_OPTIONS,
    json: { value: 'FILE', help: 'the thresholds as JSON' },
  },
  examples: [
    [
      'glacis calibrate verify digits.onnx other.onnx --data calm.npz --attacked attacked.npz',
      'thresholds for 1 % and 5 % false alarms, and what they find',
    ],
  ],
  async run({ given, terminal, signal }) {
    const [first, second, ...more] = given.positionals;
    const data = given.text('data');
    if (first === undefined || second === undefined || more.length > 0 || data === undefined)
      throw new GlacisError(
        'option/invalid',
        'calibrate verify: expected MODEL, SECOND and --data CALM, got something else; see --help',
      );
    const rates = given.numbers('rates') ?? RATES;
    if (rates.length === 0 || rates.length > 16 || !rates.every((rate) => rate > 0 && rate < 1))
      throw new GlacisError(
        'option/invalid',
        '--rates: expected shares above 0 and below 1, got another value',
      );
    const json = given.text('json');
    if (json !== undefined) await prepareFile(json);
    const engine = startEngine(engineOptionsFrom(given));
    try {
      const both = async (from: string): Promise<BothScores> => ({
        first: await scoresOf(engine, { model: first, data: from, given, signal }),
        second: await scoresOf(engine, { model: second, data: from, given, signal }),
      });
      const attacked = given.text('attacked');
      const thresholds = verificationThresholds(
        await both(data),
        attacked === undefined ? undefined : await both(attacked),
        [...new Set(rates)].sort((a, b) => a - b),
      );
      if (json !== undefined) {
        const result = { schema: 'glacis.verify-thresholds/1', first, second, data, thresholds };
        await writeText(json, `${JSON.stringify(result, null, 2)}\n`);
      }
      terminal.clear();
      terminal.print(
        `${thresholds
          .map(({ measure, rate, threshold, heldOut, attacked }) => {
            const share = ({ n, above, interval: [low, high] }: typeof heldOut) =>
              `${percent(above / n)} (${interval([low, high])}) of ${n}`;
            const found = attacked ? `, found ${share(attacked)} attacked` : '';
            return `${measure.padEnd(14)}  promised ${percent(rate)}, measured ${share(heldOut)} calm${found}; threshold ${Number(threshold.toPrecision(6))}`;
          })
          .join('\n')}\n`,
      );
      return EXIT.good;
    } finally {
      await engine.close();
    }
  },
};

/** A model's scores of a data set's samples: logits, whatever it ends in. */
async function scoresOf(
  engine: Engine,
  {
    model,
    data,
    given,
    signal,
  }: { readonly model: string; readonly data: string } & Pick<CommandRun, 'given' | 'signal'>,
): Promise<Scores> {
  const options = { model, data, signal };
  const source = await (isEndpoint(model) ? endpointSource(options) : fileSource(engine, options));
  const dataset = await openDataset(data, { signal });
  try {
    const n = Math.min(dataset.n, given.whole('n', 2) ?? MOST);
    const range = given.numbers('range');
    const adapted = await adaptDataset(
      dataset,
      { ...source.input, dtype: 'float32' },
      {
        n,
        shuffle: given.whole('seed', 0) ?? 0,
        ...(range?.length === 2 && { range: [range[0]!, range[1]!] as const }),
      },
      signal,
    );
    const { x } = await adapted.read(0, n, signal);
    const count = Math.min(FIRST, n);
    const { subject } = await source.open(adapted.shape, { x: x.slice(0, (count * x.length) / n), count });
    try {
      const values = subject.toLogits(await subject.predictor.predict(x, n, signal));
      return { values, n, classes: subject.classes, gives: 'logits' };
    } finally {
      await subject.target?.close();
      await subject.oracle.close();
      await subject.predictor.close();
    }
  } finally {
    await dataset.close();
  }
}

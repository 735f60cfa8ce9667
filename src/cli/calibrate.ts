import { GlacisError } from '../core/error.ts';
import { calibrationToJson } from '../detect/calibration/read-calibration.ts';
import type { Calibration } from '../detect/calibration/schema.ts';
import { CLIENT_DETECTORS } from '../detect/clients/client-parts.ts';
import { DETECTORS } from '../detect/detectors.ts';
import { calibrateModel } from '../gateway/calibration/calibrate-model.ts';
import { interval, percent } from '../report/format.ts';
import { startEngine } from '../runtime/engine.ts';
import { type Command, EXIT } from './command.ts';
import { ENGINE_OPTIONS, engineOptionsFrom, LOAD_OPTIONS, modelOptionsFrom } from './load-options.ts';
import { prepareFile, writeText } from './output.ts';

/** Rates of false alarms that thresholds are set for. */
const RATES = [0.001, 0.01];

const { data, n, range, layout, target, input, output, shape, batch } = LOAD_OPTIONS;

/** `glacis calibrate`: thresholds of guards to a stated rate of false alarms. */
export const command: Command = {
  usage: 'calibrate MODEL --data CALM --out calibration.json [options]',
  about:
    'Learns what calm inputs of a model look like and sets the thresholds of its guards to stated rates of false alarms. Half of the calm samples are held out to measure the rates. The file holds for this model only.',
  options: {
    data: {
      ...data!,
      help: 'calm samples, as they come in service, which the model was not trained on; labels are not needed',
    },
    fit: {
      value: 'DATA',
      help: 'samples to learn from, such as the training data: all calm ones then go into thresholds and measurement',
    },
    attacked: {
      value: 'DATA',
      help: 'attacked samples (glacis attack makes some), to see how many are found',
    },
    guards: {
      value: 'NAMES',
      help: `which guards: ${[...DETECTORS, ...CLIENT_DETECTORS].map(({ id }) => id).join(', ')} (all that suit the model unless given)`,
    },
    rates: { value: 'SHARES', help: `rates of false alarms (${RATES.join(',')} unless given)` },
    confidence: {
      value: 'SHARE',
      help: 'promise the rates for this share of calibrations, such as 0.95, and not as a mean over all; needs about three times as many samples',
    },
    out: { value: 'FILE', help: 'where the calibration goes' },
    seed: { value: 'SEED', help: 'seed of the split (0 unless given)' },
    n: { ...n!, help: 'most samples of each data set, drawn at random (20000 unless given)' },
    range: range!,
    layout: layout!,
    'image-size': LOAD_OPTIONS['image-size']!,
    target: target!,
    input: input!,
    output: output!,
    shape: shape!,
    batch: batch!,
    ...ENGINE_OPTIONS,
  },
  examples: [
    [
      'glacis calibrate model.onnx --data calm.npz --out calibration.json',
      'thresholds of all guards for 0.1 % and 1 % false alarms',
    ],
    [
      'glacis calibrate model.onnx --data calm.npz --attacked attacked.npz --guards margin,mahalanobis --out calibration.json',
      'two guards, and how much of an attack they find',
    ],
  ],
  async run({ given, terminal, signal }) {
    const model = modelOptionsFrom(given, 'calibrate');
    const [calm, out] = [given.text('data'), given.text('out')];
    if (calm === undefined || out === undefined)
      throw new GlacisError(
        'option/invalid',
        'calibrate: expected --data CALM and --out FILE, got less; see --help',
      );
    const rates = given.numbers('rates') ?? RATES;
    if (rates.length === 0 || rates.length > 16 || !rates.every((rate) => rate > 0 && rate < 1))
      throw new GlacisError(
        'option/invalid',
        '--rates: expected shares above 0 and below 1, got another value',
      );
    const [confidence, ...others] = given.numbers('confidence') ?? [];
    if (others.length > 0 || (confidence !== undefined && !(confidence > 0 && confidence < 1)))
      throw new GlacisError(
        'option/invalid',
        '--confidence: expected a share above 0 and below 1, got another value',
      );
    const guards = given
      .text('guards')
      ?.split(',')
      .map((name) => name.trim());
    await prepareFile(out);
    const engine = startEngine(engineOptionsFrom(given));
    try {
      const calibration = await calibrateModel(engine, {
        ...model,
        data: calm,
        fit: given.text('fit'),
        attacked: given.text('attacked'),
        guards,
        rates: [...new Set(rates)].sort((a, b) => a - b),
        confidence,
        seed: given.whole('seed', 0) ?? 0,
        signal,
        say: terminal.say,
        progress: terminal.progress,
      });
      terminal.clear();
      await writeText(out, calibrationToJson(calibration));
      terminal.print(`${summaryOf(calibration)}\n`);
      terminal.say(`Calibration: ${out}`);
      return EXIT.good;
    } finally {
      await engine.close();
    }
  },
};

/** One line for each guard and rate. */
function summaryOf({ guards }: Calibration): string {
  const names = Object.keys(guards);
  const width = Math.max(0, ...names.map((name) => name.length));
  return names
    .flatMap((name) =>
      guards[name]!.thresholds.map(({ rate, threshold, heldOut, attacked }) => {
        const share = ({ n, alarms, low, high }: typeof heldOut) =>
          `${percent(alarms / n)} (${interval([low, high])}) of ${n}`;
        return `${name.padEnd(width)}  promised ${percent(rate)}, measured ${share(heldOut)} calm${attacked && attacked.n > 0 ? `, found ${share(attacked)} attacked` : ''}; threshold ${Number(threshold.toPrecision(6))}`;
      }),
    )
    .join('\n');
}

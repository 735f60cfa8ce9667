import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { randomFrom } from '../../src/core/random.ts';
import { writeNpy } from '../../src/data/npy.ts';
import { writeNpz } from '../../src/data/npz.ts';
import { readModel } from '../../src/onnx/read.ts';
import { numbersOf } from '../../src/onnx/tensor.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import { reinitialise } from '../../src/train/reinitialise.ts';
import { shuffled } from '../../src/train/samples.ts';
import { compareSides, type SideFigures } from '../harness.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { CACHE, dataPath, modelPath, ourSide, peerSide } from '../places.ts';
import type { Row } from '../report.ts';
import { privateTrainingRows } from './private-training.ts';
import { trainingPath, writeSamples } from './training-samples.ts';

/** One training: samples of an epoch, and how often they are seen. */
interface TrainingCase {
  readonly network: 'mnist-cnn' | 'cifar10-resnet14';
  readonly against: 'nothing' | 'pgd';
  readonly eps: number;
  readonly n: number;
  readonly epochs: number;
  /** The peer's time over ours that is aimed at. */
  readonly wanted: number;
}

const BATCH = 100;
const TESTED = 1000;

/** Few samples where a step takes long: the time of a step does not depend on them. */
const CASES: readonly TrainingCase[] = [
  { network: 'mnist-cnn', against: 'nothing', eps: 0.1, n: 20_000, epochs: 3, wanted: 1.3 },
  { network: 'mnist-cnn', against: 'pgd', eps: 0.1, n: 4000, epochs: 3, wanted: 1.5 },
  { network: 'cifar10-resnet14', against: 'nothing', eps: 8 / 255, n: 4000, epochs: 3, wanted: 1 },
  { network: 'cifar10-resnet14', against: 'pgd', eps: 8 / 255, n: 800, epochs: 3, wanted: 1.1 },
];

/** Most that accuracies may differ, in standard errors of their difference: both sides draw their starts on their own. */
const ERRORS = 4;

/** Times epochs of plain, adversarial and private training against PyTorch and Opacus; the first two from the same random weights and in the same order of samples. */
export async function trainingSuite(
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const cases = CASES.filter(
    ({ network, against }) =>
      (options.network === undefined || network === options.network) &&
      (options.mode === undefined || against === options.mode),
  );
  const isPrivate =
    (options.network ?? 'mnist-cnn') === 'mnist-cnn' && (options.mode ?? 'private') === 'private';
  if (cases.length === 0 && !isPrivate)
    throw new GlacisError(
      'option/invalid',
      `--network, --mode: expected mnist-cnn or cifar10-resnet14, and nothing, pgd or (with mnist-cnn) private, got ${options.network}, ${options.mode}`,
    );
  const rows: Row[] = [];
  for (const of of cases) rows.push(await rowOf(of, options, progress));
  if (isPrivate) rows.push(...(await privateTrainingRows(options, progress)));
  return rows;
}

async function rowOf(
  of: TrainingCase,
  { rounds, threads }: BenchOptions,
  progress: (text: string) => void,
): Promise<Row> {
  const { network, against, eps, n, epochs } = of;
  const name = `${network} epoch ${against === 'pgd' ? 'against PGD-10' : 'as they are'}, ${n} samples`;
  progress(name);
  const { model, weights, train, test } = await writeInputs(of);
  const common = { train, test, against, eps, epochs, batch: BATCH, threads };
  const list = (fields: Readonly<Record<string, string | number>>) =>
    Object.entries(fields).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const torch = (layout: string) =>
    peerSide(`PyTorch ${layout}`, 'training.py', list({ network, weights, ...common, layout }));
  const figures = await compareSides(
    ourSide('Glacis', 'training.ts', list({ model, ...common })),
    [torch('nchw'), torch('channels-last')],
    { rounds, threads, timed: 'repeat', progress },
  );
  const agreement = figures.comparisons.map(({ peer }) => agreementOf(figures.ours, peer));
  const comparisons = figures.comparisons.map((each) => ({ ...each, wanted: of.wanted }));
  return { name, timed: 'repeat', agreement, ...figures, comparisons };
}

/** Writes the same start and the same samples for all sides, and gives where they are. */
async function writeInputs({ network, n, epochs }: TrainingCase) {
  const folder = join(CACHE, 'training');
  mkdirSync(folder, { recursive: true });
  const at = (file: string) => join(folder, `${network}-${file}`);
  const model = reinitialise(await readModel(modelPath(network)), 1);
  writeFileSync(at('start.onnx'), serializeModel(model));
  await writeNpz(
    at('start.npz'),
    Object.fromEntries(
      [...model.graph.initializers]
        .filter(([, { dtype }]) => dtype === 'float32')
        .map(([key, tensor]) => [key, { data: Float32Array.from(numbersOf(tensor)), shape: tensor.dims }]),
    ),
  );
  await writeSamples(at('train'), trainingPath(network), network, n);
  await writeSamples(at('test'), dataPath(network), network, TESTED);
  const order = new BigInt64Array((epochs + 1) * n);
  for (let epoch = 0; epoch <= epochs; epoch++)
    for (const [i, sample] of shuffled(n, randomFrom(0, 'train', 'order', epoch)).entries())
      order[epoch * n + i] = BigInt(sample);
  await writeNpy(at('train-order.npy'), { data: order, shape: [epochs + 1, n] });
  return { model: at('start.onnx'), weights: at('start.npz'), train: at('train'), test: at('test') };
}

function agreementOf(ours: SideFigures, peer: SideFigures): string {
  const of = (side: SideFigures, key: 'clean' | 'robust') =>
    median(side.runs.map(({ accuracy }) => accuracy![key]));
  const texts = (['clean', 'robust'] as const).map((key) => {
    const [own, other] = [of(ours, key), of(peer, key)];
    const middle = Math.min(0.99, Math.max(0.01, (own + other) / 2));
    const most = ERRORS * Math.sqrt((2 * middle * (1 - middle)) / TESTED);
    if (!(Math.abs(own - other) <= most))
      throw new GlacisError(
        'data/mismatch',
        `${peer.name}: expected ${key} accuracies within ${most.toFixed(3)}, got ${own} and ${other}`,
      );
    return `${key} ${own.toFixed(3)} against ${other.toFixed(3)}`;
  });
  return `accuracy afterwards: ${texts.join(', ')} of ${peer.name}`;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GlacisError } from '../../src/core/error.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import { buildRecipe, planRecipe } from '../../src/train/index.ts';
import { compareSides, type SideFigures } from '../harness.ts';
import { median } from '../median.ts';
import type { BenchOptions } from '../options.ts';
import { CACHE, dataPath, ourSide, peerSide } from '../places.ts';
import type { Row } from '../report.ts';
import { trainingPath, writeSamples } from './training-samples.ts';

/** Opacus' ways to get gradients, of which the fastest counts. Its fourth, PyTorch's ExpandedWeights (`ew`), ends in an error on this network. */
const WAYS = ['hooks', 'functorch', 'ghost'] as const;

/** The settings of Opacus' own example, and samples of an epoch. */
const SETTINGS = { batch: 240, rate: 0.15, noise: 1.1, clip: 1 } as const;
const SIZE = { n: 24_000, epochs: 3, tested: 1000, mostApart: 0.1 } as const;
/** Too short to learn much: accuracies are printed and not held against each other. */
const QUICK = { n: 2400, epochs: 1, tested: 1000, mostApart: 1 } as const;

/** Times as fast as each way of Opacus, and as a plain epoch of ours: 1.4 times as long at most. */
const WANTED = { opacus: 3, plain: 0.714 } as const;

/**
 * Times epochs of private training on MNIST against Opacus, and against plain epochs of ours; the table's peak memory is that of the whole
 * process, data included.
 */
export async function privateTrainingRows(
  { rounds, threads, quick }: BenchOptions,
  progress: (text: string) => void,
): Promise<readonly Row[]> {
  const { n, epochs, tested, mostApart } = quick ? QUICK : SIZE;
  const folder = join(CACHE, 'training');
  mkdirSync(folder, { recursive: true });
  const at = (file: string) => join(folder, `private-${file}`);
  const start = buildRecipe(planRecipe('opacus-cnn'), {
    ...{ input: [1, 28, 28], outputs: 10, seed: 1 },
    centre: { mean: [0.1307], std: [0.3081] },
  });
  writeFileSync(at('start.onnx'), serializeModel(start));
  await writeSamples(at('train'), trainingPath('mnist-cnn'), 'mnist-cnn', n);
  await writeSamples(at('test'), dataPath('mnist-cnn'), 'mnist-cnn', tested);
  const common = { train: at('train'), test: at('test'), epochs, ...SETTINGS, threads };
  const list = (fields: Readonly<Record<string, string | number>>) =>
    Object.entries(fields).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const ours = (way: 'private' | 'plain') =>
    ourSide(`Glacis ${way}`, 'private.ts', list({ way, model: at('start.onnx'), ...common }));
  const peer = (way: string) =>
    peerSide(way === 'plain' ? 'PyTorch plain' : `Opacus ${way}`, 'private.py', list({ way, ...common }));
  progress(`private epoch of opacus-cnn, ${n} samples`);
  const figures = await compareSides(ours('private'), [ours('plain'), ...WAYS.map(peer), peer('plain')], {
    rounds,
    threads,
    timed: 'repeat',
    progress,
  });
  const [plain, ...others] = figures.comparisons;
  const isOpacus = (name: string) => name.startsWith('Opacus');
  return [
    {
      name: `private epoch of opacus-cnn, ${n} samples`,
      timed: 'repeat',
      agreement: others.flatMap(({ peer: { name, ...rest } }) =>
        isOpacus(name) ? [agreementOf(figures.ours, { name, ...rest }, mostApart)] : [],
      ),
      ours: figures.ours,
      comparisons: others.map((each) =>
        isOpacus(each.peer.name) ? { ...each, wanted: WANTED.opacus } : each,
      ),
    },
    {
      name: 'the same against a plain epoch of ours',
      timed: 'repeat',
      agreement: [
        `peak memory ${(figures.ours.peakRssBytes / plain!.peer.peakRssBytes).toFixed(2)} of a plain run's (at most 1.5 wanted), time ${(1 / plain!.ratio).toFixed(2)} (at most 1.4 wanted)`,
      ],
      ours: figures.ours,
      comparisons: [{ ...plain!, wanted: WANTED.plain }],
    },
  ];
}

/** What both sides are right on, which may differ by so much: they draw samples and noise on their own. */
function agreementOf(ours: SideFigures, peer: SideFigures, mostApart: number): string {
  const of = (side: SideFigures) => median(side.runs.map(({ accuracy }) => accuracy!.clean));
  const [own, other] = [of(ours), of(peer)];
  if (!(Math.abs(own - other) <= mostApart))
    throw new GlacisError(
      'data/mismatch',
      `${peer.name}: expected accuracies within ${mostApart}, got ${own} and ${other}`,
    );
  return `accuracy afterwards ${own.toFixed(3)} against ${other.toFixed(3)} of ${peer.name}`;
}

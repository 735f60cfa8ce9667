import { join } from 'node:path';
import { type Loaded, load } from '../../../src/assess/load.ts';
import { adaptDataset, openDataset } from '../../../src/data/index.ts';
import { type Observer, openObserver } from '../../../src/detect/calibration/observe.ts';
import type { Observations, Watched } from '../../../src/detect/detector.ts';
import { likeliest } from '../../../src/detect/likeliest.ts';
import { elementCount } from '../../../src/onnx/tensor.ts';
import type { Engine } from '../../../src/runtime/engine.ts';
import { SHARED } from '../../places.ts';
import { frozenSplit, type GuardNetwork } from './split.ts';

/** Training samples that guards learn from. */
const LEARNT = { mnist: 10_000, cifar10: 5000 } as const;

/** A network with its guards' samples. */
export interface GuardSubject {
  readonly network: GuardNetwork;
  readonly loaded: Loaded;
  readonly observer: Observer;
  readonly watched: Watched;
  readonly size: number;
  /** Training samples. */
  readonly fit: Observations;
  /** Calm samples that thresholds are set on, and that the rate of false alarms is measured on. */
  readonly threshold: Observations;
  readonly calm: Observations;
  /** Labels of `calm`. */
  readonly labels: Int32Array;
  /** Which of `calm` the network gets right: those are attacked. */
  readonly right: readonly number[];
}

const BATCH = 100;

/**
 * Opens a network for one part of the work. In development, thresholds and figures come from halves of the development part; at the end, from the parts that
 * were frozen for them.
 */
export async function openGuardSubject(
  engine: Engine,
  network: GuardNetwork,
  part: 'development' | 'final',
): Promise<GuardSubject> {
  const kind = network.startsWith('cifar10') ? 'cifar10' : 'mnist';
  const place = (name: string) => join(SHARED, 'data', kind, name);
  const model = join(SHARED, 'models', `${network}.onnx`);
  const [train, test] =
    kind === 'cifar10'
      ? [place('train.npz'), place('test.npz')]
      : (['train', 't10k'] as const).map((set) =>
          [place(`${set}-images-idx3-ubyte.gz`), place(`${set}-labels-idx1-ubyte.gz`)].join(),
        );
  const loaded = await load(engine, { model, data: test! });
  const { subject, adapted, bounds } = loaded;
  const size = elementCount(adapted.shape);
  const observer = await openObserver(subject.target!, BATCH);
  const { x } = await adapted.read(0, adapted.n);
  const rows = (numbers: Int32Array) => {
    const taken = new Float32Array(numbers.length * size);
    for (const [i, number] of numbers.entries())
      taken.set(x.subarray(number * size, (number + 1) * size), i * size);
    return taken;
  };
  const split = frozenSplit(network);
  const half = split.development.length >> 1;
  const parts =
    part === 'final'
      ? { threshold: split.threshold, calm: split.final }
      : { threshold: split.development.slice(0, half), calm: split.development.slice(half) };
  const learnt = await openDataset(train!);
  const fitted = await adaptDataset(
    learnt,
    { name: 'input', dims: [null, ...adapted.shape], dtype: 'float32' },
    { n: LEARNT[kind] },
  );
  const fit = await observer.observe((await fitted.read(0, fitted.n)).x, fitted.n);
  await learnt.close();
  const calm = await observer.observe(rows(parts.calm), parts.calm.length);
  const labels = Int32Array.from(parts.calm, (number) => Number(loaded.labels[number]));
  const predicted = likeliest(calm.scores, calm.n, subject.classes);
  return {
    network,
    loaded,
    observer,
    watched: { ...observer.watched, range: bounds },
    size,
    fit,
    threshold: await observer.observe(rows(parts.threshold), parts.threshold.length),
    calm,
    labels,
    right: Array.from(labels.keys()).filter((i) => predicted[i] === labels[i]),
  };
}

/** Some of the observed samples. */
export function chosen(of: Observations, numbers: readonly number[], size: number): Observations {
  const pick = (values: Float32Array) => {
    const width = values.length / of.n;
    const taken = new Float32Array(numbers.length * width);
    for (const [i, number] of numbers.entries())
      taken.set(values.subarray(number * width, (number + 1) * width), i * width);
    return taken;
  };
  return {
    n: numbers.length,
    x: pick(of.x.subarray(0, of.n * size)),
    scores: pick(of.scores),
    features: of.features && pick(of.features),
  };
}

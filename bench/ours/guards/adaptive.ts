import { type Rng, randomFrom } from '../../../src/core/random.ts';
import { readModel } from '../../../src/onnx/read.ts';
import { f32 } from '../../../src/runtime/array.ts';
import type { Engine, Session } from '../../../src/runtime/engine.ts';
import { openTarget, type WhiteBoxTarget } from '../../../src/runtime/target.ts';
import { SQUEEZE_DISTANCE, withDetector } from '../../../src/transform/defence/detector.ts';
import { planDefences } from '../../../src/transform/defence/registry.ts';
import { vjp } from '../../../src/transform/gradient/vjp.ts';
import type { Tuned } from './detectors.ts';
import { scoreInGraph } from './score-in-graph.ts';

/** What an attacker who knows the guard may do. */
export interface AdaptiveOptions {
  readonly eps: number;
  readonly steps: number;
  readonly restarts: number;
  readonly seed: number;
  /** The guard's threshold that is to be kept below. */
  readonly threshold: number;
}

const BATCH = 50;
/** How far below the threshold and beyond the boundary an example shall be before the attacker rests. */
const ROOM = { score: 0.02, margin: 0.05 };

/**
 * Orthogonal projected gradient descent within an Linf ball (Bryniarski et al. 2021, "Evading Adversarial Example Detection Defenses with Orthogonal Projected
 * Gradient Descent"): while the model is right, a step against the margin that leaves the guard's score as it is; once it is wrong, a step against the score that leaves the
 * margin as it is. Every third step, and every second start, is not projected, so that the two do not block each other. Keeps, of all wrong answers on the way, the one with
 * the lowest score; a sample about which the model was never wrong stays clean. The entropy of values has no gradient: there, only as few of the elements that
 * matter most change as fool the model, and by the whole radius, which leaves few new values. All is judged elsewhere.
 */
export async function adaptiveExamples(
  target: WhiteBoxTarget,
  tuned: Tuned,
  x0: Float32Array,
  labels: Int32Array,
  bounds: readonly [number, number],
  options: AdaptiveOptions,
): Promise<Float32Array> {
  const session = await sessionFor(target, tuned);
  const n = labels.length;
  const size = x0.length / n;
  const found = x0.slice();
  const lowest = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const blunt = tuned.id === 'entropy';
  const restarts = blunt ? FEW.length : options.restarts;
  for (let restart = 0; restart < restarts; restart++)
    for (let from = 0; from < n; from += BATCH) {
      const rng = randomFrom(options.seed, 'adaptive', restart, from);
      await climb(
        { target, session, x0, labels, bounds, options, rng, from, size, blunt },
        restart,
        (i, score, x) => {
          if (!(score < lowest[i]!)) return;
          lowest[i] = score;
          found.set(x, i * size);
        },
      );
    }
  return found;
}

interface Climb {
  readonly target: WhiteBoxTarget;
  readonly session: Session;
  readonly x0: Float32Array;
  readonly labels: Int32Array;
  readonly bounds: readonly [number, number];
  readonly options: AdaptiveOptions;
  readonly rng: Rng;
  readonly from: number;
  readonly size: number;
  /** The score has no gradient. */
  readonly blunt: boolean;
}

/** Shares of the elements that an attacker of a score without gradient changes: as few as fool the model. */
const FEW = [0.1, 0.2, 0.4];

/** One batch of samples from one start; `hear` gets every wrong answer. */
async function climb(
  { target, session, x0, labels, bounds, options, rng, from, size, blunt }: Climb,
  restart: number,
  hear: (sample: number, score: number, x: Float32Array) => void,
): Promise<void> {
  const { eps, steps, threshold } = options;
  const [low, high] = bounds;
  const count = Math.min(BATCH, labels.length - from);
  const clean = new Float32Array(BATCH * size);
  clean.set(x0.subarray(from * size, (from + count) * size));
  const right = new Float32Array(BATCH * target.classes);
  for (let i = 0; i < count; i++) right[i * target.classes + labels[from + i]!] = 1;
  const x = clean.slice();
  const settle = (at: number, value: number) => {
    const near = Math.min(clean[at]! + eps, Math.max(clean[at]! - eps, value));
    x[at] = Math.min(high, Math.max(low, near));
  };
  if (restart > 0)
    for (let at = 0; at < count * size; at++) settle(at, x[at]! + eps * (2 * rng.uniform() - 1));
  let free: Uint8Array | undefined;
  const aim = threshold - ROOM.score * Math.abs(threshold);
  for (let step = 0; step <= steps; step++) {
    const out = await session.run(
      {
        [target.input]: f32(x.slice(), [BATCH, ...target.sampleDims]),
        right: f32(right.slice(), [BATCH, target.classes]),
      },
      { transfer: false },
    );
    const [margins, scores, against, calming] = ['margin', 'score', 'against', 'calming'].map(
      (name) => out[name]!.data as Float32Array,
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    if (blunt) free ??= mostSensitive(against, size, FEW[restart]!);
    // From an eighth of the radius down to a hundredth.
    const length = blunt ? 2 * eps : eps * (0.01 + 0.115 * 0.5 * (1 + Math.cos((Math.PI * step) / steps)));
    for (let i = 0; i < count; i++) {
      const row = x.subarray(i * size, (i + 1) * size);
      const isWrong = margins[i]! < 0;
      if (isWrong) hear(from + i, blunt ? restart : scores[i]!, row);
      if (step === steps) continue;
      const isBeyond = margins[i]! < -ROOM.margin;
      if (isBeyond && (blunt || scores[i]! <= aim)) continue;
      const [lead, other] = isBeyond ? [calming, against] : [against, calming];
      const share =
        blunt || restart % 2 === 1 || step % 3 === 2 ? 0 : projection(lead, other, i * size, size);
      for (let at = i * size; at < (i + 1) * size; at++)
        if (!free || free[at]) settle(at, x[at]! + length * Math.sign(lead[at]! - share * other[at]!));
    }
  }
}

/** 1 for that share of each sample's elements which has the largest gradient. */
function mostSensitive(gradient: Float32Array, size: number, share: number): Uint8Array {
  const free = new Uint8Array(gradient.length);
  for (let from = 0; from < gradient.length; from += size) {
    const sizes = gradient
      .slice(from, from + size)
      .map(Math.abs)
      .sort();
    const least = sizes[Math.floor((1 - share) * size)]!;
    for (let i = from; i < from + size; i++) if (Math.abs(gradient[i]!) >= least && least > 0) free[i] = 1;
  }
  return free;
}

/** How much of `b` is in `a`. */
function projection(a: Float32Array, b: Float32Array, from: number, size: number): number {
  let ab = 0;
  let bb = 0;
  for (let i = from; i < from + size; i++) {
    ab += a[i]! * b[i]!;
    bb += b[i]! * b[i]!;
  }
  return bb > 0 ? ab / bb : 0;
}

/** Margin and score of a batch, with their gradients downwards; the margin stands for a score that has none. */
function sessionFor(target: WhiteBoxTarget, { id, fit }: Tuned): Promise<Session> {
  return target.compile(`adaptive ${id}`, BATCH, (graph) => {
    const { b, x, logits: z } = graph;
    const right = b.builder.input('right', 'float32', z.dims);
    const others = b.reduceMax(b.sub(z, b.mul(right, 1e6)), [1]);
    const margin = b.sub(b.sum(b.mul(z, right), [1]), others);
    const score = scoreInGraph(id, fit, graph) ?? margin;
    const down = (value: Value) => {
      const grad = b.full(value.dims, -1, 'float32');
      return vjp(b, [{ value, grad }], [x], { rounding: 'straight-through' })[0]!;
    };
    return { margin, score, against: down(margin), calming: down(score) };
  });
}

type Value = Parameters<typeof vjp>[1][number]['value'];

/** The model with its squeezed copies, for an attacker who goes through them. */
export async function openSqueezed(
  engine: Engine,
  path: string,
  bits: number,
  sampleDims: readonly number[],
): Promise<WhiteBoxTarget> {
  const model = await readModel(path);
  const watched = withDetector(model, planDefences(`bit-depth(bits=${bits}), median(window=3)`), {
    sampleDims,
  });
  const output = model.graph.outputs[0]!.name;
  if (output === SQUEEZE_DISTANCE) throw new Error('the model has a detector');
  return openTarget(engine, watched, { output, sampleDims });
}

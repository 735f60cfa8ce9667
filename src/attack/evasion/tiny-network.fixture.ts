import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import type { Engine } from '../../runtime/engine.ts';
import { fileOracle } from '../../runtime/file-oracle.ts';
import { openTarget } from '../../runtime/target.ts';
import { classificationGoal, type Goal } from '../../threat/goal.ts';
import { distance, type Norm } from '../../threat/norm.ts';
import { hiddenModel, randomRows } from '../../threat/small-model.fixture.ts';
import type { Attack } from '../attack.ts';

/** Inputs, hidden units and classes of {@link tinyNetwork}. */
const D = 2;
const HIDDEN = 8;
const K = 3;

/** Bounds of its inputs: some of the nearest examples lie on them. */
export const TINY_BOUNDS: readonly [number, number] = [-1, 1];

/** A network of two inputs, 8 hidden units and three classes, with samples and the labels that it gives them. */
export interface TinyNetwork {
  readonly model: Model;
  readonly n: number;
  readonly x0: Float32Array;
  readonly labels: Int32Array;
  readonly goal: Goal;
  /** The logits at a point, in float64; overwritten by the next call. */
  logitsAt(a: number, b: number): Float64Array;
  /** The class at a point. */
  classAt(a: number, b: number): number;
}

/** {@link TinyNetwork} with `n` samples. */
export function tinyNetwork(n: number): TinyNetwork {
  const model = hiddenModel(D, HIDDEN, K);
  const logitsAt = float64Of(model);
  const classAt = (a: number, b: number) => {
    const z = logitsAt(a, b);
    return z.indexOf(Math.max(...z));
  };
  const x0 = randomRows('tiny', n, D, ...TINY_BOUNDS);
  const labels = Int32Array.from({ length: n }, (_, i) => classAt(x0[2 * i]!, x0[2 * i + 1]!));
  return { model, n, x0, labels, goal: classificationGoal(labels, K), logitsAt, classAt };
}

function float64Of(model: Model): TinyNetwork['logitsAt'] {
  const [w1, b1, w2, b2] = ['w1', 'b1', 'w2', 'b2'].map((name) => {
    const { data } = model.graph.initializers.get(name)! as { readonly data: Uint8Array };
    return Float64Array.from(new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4));
  });
  const z = new Float64Array(K);
  return (a, b) => {
    z.set(b2!);
    for (let h = 0; h < HIDDEN; h++) {
      const v = Math.tanh(a * w1![h]! + b * w1![HIDDEN + h]! + b1![h]!);
      for (let k = 0; k < K; k++) z[k]! += v * w2![h * K + k]!;
    }
    return z;
  };
}

/** Directions at first (with all multiples of 45°), directions of each closer look around the best, and the length of a step along them. */
const DIRECTIONS = 720;
const CLOSER = 24;
const STEP = 0.01;

/**
 * Distance of the nearest point of another class to sample `i`, by looking along many directions; infinite where there is none. Above the
 * truth by less than 1e-3 of itself. For l0 the number of inputs that must change.
 */
export function nearestByEnumeration(network: TinyNetwork, i: number, norm: Norm): number {
  const { x0, labels, classAt } = network;
  const [a, b] = [x0[2 * i]!, x0[2 * i + 1]!];
  const [low, high] = TINY_BOUNDS;
  const falls = (u: number, v: number) => classAt(u, v) !== labels[i];
  if (norm === 'l0') {
    const values = Array.from({ length: 201 }, (_, s) => low + ((high - low) * s) / 200);
    if (values.some((v) => falls(v, b) || falls(a, v))) return 1;
    return values.some((u) => values.some((v) => falls(u, v))) ? 2 : Number.POSITIVE_INFINITY;
  }
  let best = Number.POSITIVE_INFINITY;
  let bestAngle = 0;
  const look = (angle: number) => {
    const [u, v] = [Math.cos(angle), Math.sin(angle)];
    const [across, along] = [Math.abs(u), Math.abs(v)];
    const size = norm === 'linf' ? Math.max(across, along) : norm === 'l1' ? across + along : 1;
    const room = Math.min((u > 0 ? high - a : a - low) / across, (v > 0 ? high - b : b - low) / along);
    const end = Math.min(room, best / size);
    for (let near = 0; near < end; near += STEP) {
      let far = Math.min(end, near + STEP);
      if (!falls(a + u * far, b + v * far)) continue;
      let clean = near;
      for (let k = 0; k < 20; k++) {
        const middle = (clean + far) / 2;
        if (falls(a + u * middle, b + v * middle)) far = middle;
        else clean = middle;
      }
      if (far * size < best) [best, bestAngle] = [far * size, angle];
      return;
    }
  };
  for (let d = 0; d < DIRECTIONS; d++) look((2 * Math.PI * d) / DIRECTIONS);
  for (let width = (2 * Math.PI) / DIRECTIONS; width > 1e-5; width /= CLOSER / 4) {
    const middle = bestAngle;
    for (let d = -CLOSER; d <= CLOSER; d++) look(middle + (width * d) / CLOSER);
  }
  return best;
}

/** Runs an attack on all samples of a tiny network: its examples, and their distances, infinite where it found none. */
export async function attackTiny<Options extends object>(
  engine: Engine,
  network: TinyNetwork,
  attack: Attack<Options>,
  norm: Norm,
  options: Partial<Options> = {},
): Promise<{ readonly x: Float32Array; readonly far: readonly number[] }> {
  const target = openTarget(engine, network.model);
  const { n, x0, goal } = network;
  const x = x0.slice();
  const found = new Uint8Array(n);
  await attack.run({
    target,
    oracle: fileOracle(target, 16),
    queries: target.queries,
    goal,
    ball: { norm, eps: 0.5, bounds: TINY_BOUNDS },
    image: undefined,
    x0,
    x,
    parameters: new Float32Array(0),
    todo: Array.from({ length: n }, (_, i) => i),
    options: { ...attack.defaults, ...options },
    batch: 16,
    rng: (sample, ...keys) => randomFrom(1, attack.id, sample, ...keys),
    progress: () => {},
    decided: (sample, reached) => {
      found[sample] = reached ? 1 : 0;
    },
  });
  await target.close();
  const far = Array.from({ length: n }, (_, i) =>
    found[i] ? distance(norm, x, x0, i * D, D) : Number.POSITIVE_INFINITY,
  );
  return { x, far };
}

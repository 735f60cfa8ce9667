import { randomFrom } from '../../core/random.ts';
import type { Model } from '../../onnx/model.ts';
import type { Engine } from '../../runtime/engine.ts';
import { fileOracle } from '../../runtime/file-oracle.ts';
import { openTarget } from '../../runtime/target.ts';
import { argmax, classificationGoal, type Goal } from '../../threat/goal.ts';
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
}

/** {@link TinyNetwork} with `n` samples. */
export function tinyNetwork(n: number): TinyNetwork {
  const model = hiddenModel(D, HIDDEN, K);
  const x0 = randomRows('tiny', n, D, ...TINY_BOUNDS);
  const labels = Int32Array.from({ length: n }, (_, i) =>
    argmax(logits(model, x0[2 * i]!, x0[2 * i + 1]!), 0, K),
  );
  return { model, n, x0, labels, goal: classificationGoal(labels, K) };
}

/** The network in float64. */
function logits(model: Model, a: number, b: number): Float32Array {
  const weights = (name: string) => model.graph.initializers.get(name)!.data as unknown as Float32Array;
  const [w1, b1, w2, b2] = ['w1', 'b1', 'w2', 'b2'].map((name) => floats(weights(name)));
  const z = Float64Array.from(b2!);
  for (let h = 0; h < HIDDEN; h++) {
    const v = Math.tanh(a * w1![h]! + b * w1![HIDDEN + h]! + b1![h]!);
    for (let k = 0; k < K; k++) z[k]! += v * w2![h * K + k]!;
  }
  return Float32Array.from(z);
}

function floats(data: Uint8Array | Float32Array): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

/** Directions and steps along each in which {@link nearestByEnumeration} looks. */
const DIRECTIONS = 4000;
const STEPS = 200;

/**
 * Distance of the nearest point of another class to sample `i`, by looking along many directions; infinite where there is none. Above the
 * truth by less than 1e-3 of itself. For l0 the number of inputs that must change.
 */
export function nearestByEnumeration({ model, x0, labels }: TinyNetwork, i: number, norm: Norm): number {
  const [a, b] = [x0[2 * i]!, x0[2 * i + 1]!];
  const [low, high] = TINY_BOUNDS;
  const falls = (u: number, v: number) => argmax(logits(model, u, v), 0, K) !== labels[i];
  if (norm === 'l0') {
    const values = Array.from({ length: 2001 }, (_, s) => low + ((high - low) * s) / 2000);
    if (values.some((v) => falls(v, b) || falls(a, v))) return 1;
    return values.some((u) => values.some((v) => falls(u, v))) ? 2 : Number.POSITIVE_INFINITY;
  }
  let best = Number.POSITIVE_INFINITY;
  for (let d = 0; d < DIRECTIONS; d++) {
    const angle = (2 * Math.PI * d) / DIRECTIONS;
    const [u, v] = [Math.cos(angle), Math.sin(angle)];
    const size =
      norm === 'linf' ? Math.max(Math.abs(u), Math.abs(v)) : norm === 'l1' ? Math.abs(u) + Math.abs(v) : 1;
    const room = Math.min(
      (u > 0 ? high - a : a - low) / Math.abs(u),
      (v > 0 ? high - b : b - low) / Math.abs(v),
    );
    const end = Math.min(room, best / size);
    for (let s = 1; s <= STEPS; s++) {
      if (!falls(a + (u * end * s) / STEPS, b + (v * end * s) / STEPS)) continue;
      let [near, far] = [(end * (s - 1)) / STEPS, (end * s) / STEPS];
      for (let k = 0; k < 30; k++) {
        const middle = (near + far) / 2;
        if (falls(a + u * middle, b + v * middle)) far = middle;
        else near = middle;
      }
      best = Math.min(best, far * size);
      break;
    }
  }
  return best;
}

/** Runs an attack on all samples of a tiny network; distances of the examples it found, infinite without one. */
export async function attackTiny<Options extends object>(
  engine: Engine,
  network: TinyNetwork,
  attack: Attack<Options>,
  norm: Norm,
  options: Partial<Options> = {},
): Promise<readonly number[]> {
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
  return Array.from({ length: n }, (_, i) =>
    found[i] ? distance(norm, x, x0, i * D, D) : Number.POSITIVE_INFINITY,
  );
}

import { silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Oracle } from '../runtime/oracle.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import type { Ball } from '../threat/norm.ts';
import type { Attack } from './attack.ts';

/** A model that is a function of one sample, for attacks that only ask. */
export interface FunctionModel {
  readonly sampleDims: readonly number[];
  readonly classes: number;
  answer(x: Float32Array): ArrayLike<number>;
}

/** What a test may say about a run; the seed is 1 and the batch 8 unless given. */
interface FunctionRun {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly batch?: number;
  readonly todo?: readonly number[];
  readonly surrogate?: WhiteBoxTarget;
  readonly signal?: AbortSignal;
}

/** What became of the run. */
interface FunctionOutcome {
  readonly x: Float32Array;
  /** By sample, in the order in which they were decided. */
  readonly decided: ReadonlyMap<number, { readonly reached: boolean; readonly asked: number }>;
  readonly queries: number;
  /** Rows of each request. */
  readonly requests: readonly number[];
}

/** Runs an attack on the samples `x0` (row-major) of a function, with nothing between them. */
export async function attackFunction<Options extends object>(
  attack: Attack<Options>,
  model: FunctionModel,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  { options, seed = 1, batch = 8, todo, surrogate, signal }: FunctionRun = {},
): Promise<FunctionOutcome> {
  const { sampleDims, classes } = model;
  const size = elementCount(sampleDims);
  const requests: number[] = [];
  const oracle: Oracle = {
    sampleDims,
    classes,
    batch,
    parallel: 1,
    async ask(points, n) {
      requests.push(n);
      const out = new Float32Array(n * classes);
      for (let i = 0; i < n; i++)
        out.set(model.answer(points.subarray(i * size, (i + 1) * size)), i * classes);
      return out;
    },
    close: async () => {},
  };
  const merged = { ...attack.defaults, ...options };
  attack.check(merged);
  const queries = { forward: 0, gradient: 0 };
  const decided = new Map<number, { reached: boolean; asked: number }>();
  const x = x0.slice();
  await attack.run({
    target: undefined,
    surrogate,
    oracle,
    queries,
    goal,
    ball,
    image: imageDimsOf(sampleDims),
    x0,
    x,
    parameters: new Float32Array((x0.length / size) * (attack.threat?.parameters.length ?? 0)),
    todo: todo ?? Array.from({ length: x0.length / size }, (_, i) => i),
    options: merged,
    batch,
    rng: (sample, ...keys) => randomFrom(seed, attack.id, sample, ...keys),
    signal,
    progress: silent,
    decided: (sample, reached, asked = 0) => decided.set(sample, { reached, asked }),
  });
  return { x, decided, queries: queries.forward, requests };
}

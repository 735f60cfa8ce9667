import { silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Engine } from '../runtime/engine.ts';
import { fileOracle } from '../runtime/file-oracle.ts';
import { openTarget } from '../runtime/target.ts';
import type { Goal } from '../threat/goal.ts';
import { imageDimsOf } from '../threat/image-dims.ts';
import type { Ball } from '../threat/norm.ts';
import type { Attack } from './attack.ts';

/** What a test may say about a run; seed 1, batch 8 and all samples unless given. */
interface ModelRun<Options> {
  readonly options?: Partial<Options>;
  readonly seed?: number;
  readonly batch?: number;
  readonly todo?: readonly number[];
  /** What an earlier run's examples share. */
  readonly known?: Float32Array;
}

/** What became of a run. */
export interface ModelOutcome {
  readonly x: Float32Array;
  readonly parameters: Float32Array;
  readonly shared: Float32Array;
  /** By sample. */
  readonly reached: ReadonlyMap<number, boolean>;
  readonly forward: number;
  readonly gradient: number;
}

/** Runs an attack on the samples `x0` (row-major) of a whole model, with nothing that verifies. */
export async function attackModel<Options extends object>(
  engine: Engine,
  model: Model,
  attack: Attack<Options>,
  goal: Goal,
  ball: Ball,
  x0: Float32Array,
  { options: given, seed = 1, batch = 8, todo, known }: ModelRun<Options> = {},
): Promise<ModelOutcome> {
  const target = openTarget(engine, model);
  const { sampleDims } = target;
  const image = imageDimsOf(sampleDims);
  const size = elementCount(sampleDims);
  const options = { ...attack.defaults, ...given };
  attack.check(options);
  const form = attack.shared?.({ sampleDims, image }, options);
  const shared = known?.slice() ?? new Float32Array(form ? elementCount(form.dims) : 0);
  const x = x0.slice();
  const parameters = new Float32Array((x0.length / size) * (attack.threat?.parameters.length ?? 0));
  const reached = new Map<number, boolean>();
  try {
    await attack.run({
      target,
      oracle: fileOracle(target, batch),
      queries: target.queries,
      goal,
      ball,
      image,
      x0,
      x,
      parameters,
      shared: form && { values: shared, isKnown: known !== undefined },
      todo: todo ?? Array.from({ length: x0.length / size }, (_, i) => i),
      options,
      batch,
      rng: (sample, ...keys) => randomFrom(seed, attack.id, sample, ...keys),
      progress: silent,
      decided: (sample, hasReached) => reached.set(sample, hasReached),
    });
  } finally {
    await target.close();
  }
  return { x, parameters, shared, reached, ...target.queries };
}

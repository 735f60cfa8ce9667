import type { Model } from '../onnx/model.ts';
import type { Engine } from '../runtime/engine.ts';
import { constant, type LabelledSamples, madry, type TrainingThreat, train } from '../train/index.ts';

/** Steps that are timed, after one that is not. */
const TIMED = 3;

/**
 * Seconds of one training step against a single-step attack, measured on the first samples; the model is not changed. About five
 * steps and the time to compile them.
 */
export async function measurePace(
  engine: Engine,
  model: Model,
  samples: LabelledSamples,
  threat: Omit<TrainingThreat, 'steps'>,
  batch: number,
  now: () => number = () => performance.now(),
  signal?: AbortSignal,
): Promise<number> {
  const count = (TIMED + 1) * batch;
  const width = samples.x.length / samples.y.length;
  const some = {
    x: samples.x.subarray(0, count * width),
    y: Array.from({ length: Math.min(count, samples.y.length) }, (_, i) => samples.y[i]!),
  };
  const seen: number[] = [];
  await train(engine, model, some, {
    epochs: 1,
    batch,
    schedule: constant({ peak: 1e-6, warmUp: 0 }),
    objective: madry({ ...threat, steps: 1 }),
    seed: 0,
    progress: () => seen.push(now()),
    ...(signal ? { signal } : {}),
  });
  const steps = seen.length - 1;
  return steps > 0 ? (seen.at(-1)! - seen[0]!) / 1000 / steps : Number.EPSILON;
}

import type { Model } from '../onnx/model.ts';
import type { Engine } from '../runtime/engine.ts';
import { type Material, partOf } from '../train/material.ts';
import type { TrainingConstraint } from '../train/objective/inner-attack.ts';
import type { PlannedPrivateTraining } from '../train/plan/private-training.ts';
import { planTraining, type TrainingWishes } from '../train/plan/training.ts';
import { trainPrivately } from '../train/private/train-privately.ts';
import { constant } from '../train/schedule.ts';
import { outputsOf } from '../train/starting-model.ts';
import { train } from '../train/trainer.ts';

/** Steps that are timed, after one that is not. */
const TIMED = 3;

/** Learning rate of the timed steps, which lead nowhere. */
const RATE = 1e-6;

/** What {@link measurePace} takes beside model and data. */
export interface PaceOptions {
  /** How the training will be; `against` and its length take no part. */
  readonly wishes: TrainingWishes & { readonly batch: number };
  /** The radius of the single-step attack that is timed. */
  readonly eps: number;
  /** What attacked samples must satisfy. */
  readonly constraint?: TrainingConstraint | undefined;
  /** Milliseconds since some moment. Default: the system's. */
  readonly now?: () => number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Seconds of one training step against a single-step attack, measured on the first samples; the model is not changed. About five
 * steps and the time to compile them. Errors: those of `planTraining` and `train`.
 */
export async function measurePace(
  engine: Engine,
  model: Model,
  material: Material,
  { wishes, eps, constraint, now = () => performance.now(), signal }: PaceOptions,
): Promise<number> {
  const { patience: _, keepBest: __, ...how } = wishes;
  const count = Math.min(material.n, (TIMED + 1) * wishes.batch);
  const some = partOf(
    material,
    Array.from({ length: count }, (_, i) => i),
  );
  const timed = { ...how, against: `fast(eps=${eps})`, epochs: 1, learningRate: RATE, warmUp: 0 };
  const { options } = planTraining(timed, some, undefined, outputsOf(model), constraint);
  const seen: number[] = [];
  await train(engine, model, some.samples, {
    ...options,
    progress: () => seen.push(now()),
    ...(signal ? { signal } : {}),
  });
  const steps = seen.length - 1;
  return steps > 0 ? (seen.at(-1)! - seen[0]!) / 1000 / steps : Number.EPSILON;
}

/**
 * Seconds of one private step, as {@link measurePace}. The run is one with a key that anybody may know: nothing of it is kept.
 * Errors: those of `trainPrivately`.
 */
export async function measurePrivatePace(
  engine: Engine,
  model: Model,
  { samples, n }: Material,
  { options }: PlannedPrivateTraining,
  { now = () => performance.now(), signal }: Pick<PaceOptions, 'now' | 'signal'>,
): Promise<number> {
  const { epsilon: _, noise: __, validation: ___, ...rest } = options;
  const seen: number[] = [];
  await trainPrivately(engine, model, samples, {
    ...rest,
    noise: 1,
    accounting: { accountant: 'rdp' },
    epochs: ((TIMED + 1) * options.batch!) / n,
    schedule: constant({ peak: RATE, warmUp: 0 }),
    testSeed: 0,
    progress: () => seen.push(now()),
    ...(signal ? { signal } : {}),
  });
  const steps = seen.length - 1;
  return steps > 0 ? (seen.at(-1)! - seen[0]!) / 1000 / steps : Number.EPSILON;
}

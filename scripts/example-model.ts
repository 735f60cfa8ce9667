/** How the example's model is made; `build-example.ts` runs it in full, a test in small. */
import type { Progress } from '../src/core/progress.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../src/data/traffic-signs/render.ts';
import type { Model } from '../src/onnx/model.ts';
import type { Engine } from '../src/runtime/engine.ts';
import { accuracy } from '../src/train/accuracy.ts';
import { light, shift } from '../src/train/augment.ts';
import type { Epoch } from '../src/train/journal.ts';
import { adamW } from '../src/train/optimise/adam.ts';
import { convNet } from '../src/train/recipes/cnn.ts';
import { cosine } from '../src/train/schedule.ts';
import { train } from '../src/train/trainer.ts';

/** What the example is made from. */
export interface ExamplePlan {
  readonly seed: number;
  readonly trainingSamples: number;
  /** Taken after the training samples from the same split; watched during training, nothing is chosen by it. */
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly epochs: number;
}

/** The plan of the model in `examples/traffic-signs`. */
export const EXAMPLE_PLAN: ExamplePlan = Object.freeze({
  seed: 1,
  trainingSamples: 32_000,
  validationSamples: 1_024,
  testSamples: 4_096,
  epochs: 10,
});

/** The example's model and what it can do. */
export interface ExampleModel {
  readonly model: Model;
  readonly epochs: readonly Epoch[];
  /** Share of the test samples that it gets right. */
  readonly testAccuracy: number;
}

/** Renders the data and trains the model. Same plan, machine, versions and threads: same bytes. */
export async function makeExample(
  engine: Engine,
  plan: ExamplePlan,
  progress: Progress,
  signal?: AbortSignal,
): Promise<ExampleModel> {
  const { seed, trainingSamples, validationSamples, testSamples, epochs } = plan;
  progress({ label: 'rendering', done: 0, total: trainingSamples + validationSamples + testSamples });
  const data = renderSplit({ seed, split: 'train', n: trainingSamples });
  const validation = renderSplit({ seed, split: 'train', n: validationSamples, start: trainingSamples });
  const test = renderSplit({ seed, split: 'test', n: testSamples });
  const start = convNet({
    input: SIGN_SHAPE,
    classes: SIGN_CLASSES.length,
    channels: [24, 48, 96],
    hidden: 96,
    seed,
  });
  const trained = await train(engine, start, data, {
    epochs,
    batch: 64,
    schedule: cosine({ peak: 2e-3 }),
    optimiser: adamW({ weightDecay: 0.05 }),
    augment: [shift(2), light(0.2)],
    seed,
    validation: { samples: validation },
    progress,
    ...(signal ? { signal } : {}),
  });
  const testAccuracy = await accuracy(engine, trained.model, test, signal);
  return { ...trained, testAccuracy };
}

import { elementCount } from '../../onnx/tensor.ts';
import type { Goal } from '../../threat/goal.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';

/** Some samples of a data set, side by side. */
export interface ChosenSamples {
  /** Their numbers in the data set. */
  readonly samples: readonly number[];
  /** `[samples, …]`. */
  readonly x: Float32Array;
  /** For samples by their place here. */
  readonly goal: Goal;
}

/** Reads single samples. Errors: those of the data set. */
export async function chooseSamples(
  { adapted, subject, labels, width, task }: Loaded,
  samples: readonly number[],
  { tolerance, signal }: { readonly tolerance: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<ChosenSamples> {
  const size = elementCount(subject.sampleDims);
  const x = new Float32Array(samples.length * size);
  const theirs = labels.slice(0, samples.length * width);
  for (const [at, sample] of samples.entries()) {
    x.set((await adapted.read(sample, 1, signal)).x, at * size);
    theirs.set(labels.subarray(sample * width, (sample + 1) * width), at * width);
  }
  return { samples, x, goal: goalFor(task, theirs, subject.classes, tolerance) };
}

import { GlacisError } from '../core/error.ts';
import type { Rng } from '../core/random.ts';
import { shuffle } from '../core/shuffle.ts';
import type { CriterionName } from './criterion/criterion.ts';

/** Samples to learn from or to check against. */
export interface LabelledSamples {
  /** `[n, …]` row-major, as the model takes them; bytes are divided by 255. */
  readonly x: Float32Array | Uint8Array;
  /** The class of each sample, or for other criteria its targets, `[n, outputs]` row-major. */
  readonly y: ArrayLike<number>;
}

/** What a model expects of samples. */
export interface SampleForm {
  /** Elements of a sample. */
  readonly size: number;
  /** Outputs of the network for one sample. */
  readonly outputs: number;
  readonly criterion: CriterionName;
}

/** Whether a criterion's labels are classes, one number a sample. */
export function hasClasses(criterion: CriterionName): boolean {
  return criterion === 'cross-entropy' || criterion === 'soft-cross-entropy';
}

/** Throws where samples and targets do not fit the model; gives their number. Errors: `data/mismatch`, `data/label-range`. */
export function checkSamples(
  { x, y }: LabelledSamples,
  { size, outputs, criterion }: SampleForm,
  where: string,
): number {
  const n = x.length / size;
  const width = hasClasses(criterion) ? 1 : outputs;
  if (n === 0 || y.length === 0)
    throw new GlacisError('data/mismatch', `${where}: expected samples, got none`);
  if (y.length !== n * width)
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected ${size} values and ${width} ${width === 1 ? 'label' : 'targets'} for each sample, got ${x.length} and ${y.length}`,
    );
  for (let i = 0; i < y.length; i++) {
    const problem = problemWith(y[i]!, criterion, outputs);
    if (problem)
      throw new GlacisError(
        'data/label-range',
        `${where}: expected ${problem}, got ${y[i]} for sample ${Math.floor(i / width)}`,
      );
  }
  return n;
}

function problemWith(target: number, criterion: CriterionName, outputs: number): string | undefined {
  if (hasClasses(criterion))
    return Number.isInteger(target) && target >= 0 && target < outputs
      ? undefined
      : `labels from 0 to ${outputs - 1}`;
  if (criterion === 'binary') return target === 0 || target === 1 ? undefined : 'targets that are 0 or 1';
  return Number.isFinite(target) ? undefined : 'targets that are finite numbers';
}

/** Copies sample `from` of `source` to place `to` of `target`, both of samples of `size` values. */
export function copySample(
  { x }: LabelledSamples,
  from: number,
  target: Float32Array,
  to: number,
  size: number,
): void {
  const row = x.subarray(from * size, (from + 1) * size);
  if (row instanceof Float32Array) target.set(row, to * size);
  else for (let i = 0; i < size; i++) target[to * size + i] = row[i]! / 255;
}

/** The numbers 0 to `n - 1` in random order (Fisher-Yates). */
export function shuffled(n: number, rng: Rng): Int32Array {
  return shuffle(
    Int32Array.from({ length: n }, (_, i) => i),
    rng,
  );
}

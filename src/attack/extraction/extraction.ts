import type { Rng } from '../../core/random.ts';

/** What a way to choose queries may use. */
export interface ExtractionScene {
  /** Elements of a sample. */
  readonly size: number;
  readonly classes: number;
  /** Least and greatest value of an element. */
  readonly bounds: readonly [number, number];
  /** Queries that may be asked in all. */
  readonly budget: number;
  /** The attacker's own samples, row-major; empty where there are none. */
  readonly pool: Float32Array;
  readonly rng: Rng;
  /**
   * The gradient of the copy's score for class `labels[i]` (for the class that the copy gives, without) at point i of `points`. The copy is trained on everything
   * that was answered so far. Errors: those of the training, `run/cancelled`.
   */
  copyGradient(points: Float32Array, labels?: ArrayLike<number>): Promise<Float32Array>;
}

/** Asks for points and gets the victim's probabilities for them, `[n, classes]`. */
export type Inquiry = AsyncGenerator<Float32Array, void, Float32Array>;

/** A way to choose the queries of which a copy is made. */
export interface Extraction<Options extends object = object> {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** One or two sentences: when to use it. */
  readonly use: string;
  /** Whether it needs samples of the attacker's own. */
  readonly needsPool: boolean;
  readonly defaults: Options;
  /** Errors: `option/invalid`. */
  check(options: Options): void;
  /** Yields points, `[n, size]`, until nothing more is to be asked; whoever asks cuts it off at the budget. */
  inquire(scene: ExtractionScene, options: Options): Inquiry;
}

/** Declares a way to choose queries. */
export function defineExtraction<Options extends object>(
  extraction: Extraction<Options>,
): Extraction<Options> {
  return Object.freeze(extraction);
}

/** Samples `chosen` of a pool, one after another. */
export function gathered(pool: Float32Array, chosen: readonly number[], size: number): Float32Array {
  const points = new Float32Array(chosen.length * size);
  for (const [i, from] of chosen.entries())
    points.set(pool.subarray(from * size, (from + 1) * size), i * size);
  return points;
}

/** The class with the highest score of a row. */
export function topOf(scores: Float32Array, row: number, classes: number): number {
  const part = scores.subarray(row * classes, (row + 1) * classes);
  let top = 0;
  for (let k = 1; k < classes; k++) if (part[k]! > part[top]!) top = k;
  return top;
}

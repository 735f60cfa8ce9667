/** One report of how far some long work has come. */
export interface ProgressUpdate {
  /** What is being done, in a few words, e.g. `pgd (linf, eps 0.3)`. */
  readonly label: string;
  /** Finished units; between 0 and `total`. */
  readonly done: number;
  /** Units in all; `undefined` while unknown. */
  readonly total?: number;
  /** A figure worth showing beside the bar, e.g. `robust 67.4 %`. */
  readonly note?: string;
}

/** Receives progress. Called often: a receiver throttles by itself. */
export type Progress = (update: ProgressUpdate) => void;

/** A receiver that drops everything. */
export const silent: Progress = () => {};

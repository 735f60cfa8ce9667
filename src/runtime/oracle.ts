/** A model of which only the answers are visible: a file that is only asked, or an endpoint. */
export interface Oracle {
  /** Shape of one sample. */
  readonly sampleDims: readonly number[];
  /** Outputs per sample. */
  readonly classes: number;
  /** Most samples in one request. */
  readonly batch: number;
  /** Requests that may be under way at once, at least 1. */
  readonly parallel: number;
  /** Sizes of requests, falling, that waste nothing; of a file that is run in small batches. Requests should be full without. */
  readonly sizes?: readonly number[] | undefined;
  /**
   * The answers `[n, classes]` to `n` samples at the front of `points` (row-major `[n, …sampleDims]`, read only), exactly as the
   * model gives them: logits, probabilities, whatever. `n` is at most `batch`.
   * Errors: `run/failed`, `run/cancelled`; of an endpoint also `endpoint/unavailable` and `endpoint/bad-answer`.
   */
  ask(points: Float32Array, n: number, signal?: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

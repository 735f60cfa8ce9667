import { GlacisError } from '../../core/error.ts';

/** Bytes that a model holds. */
export interface Reservation {
  /** Gives back what is beyond `bytes`. */
  shrink(bytes: number): void;
  /** Gives back everything. */
  release(): void;
}

/** What the weights of all loaded models may take together. */
export interface MemoryBound {
  readonly limit: number;
  readonly used: number;
  /** Errors: `model/too-large` beyond the limit; nothing is reserved then. */
  reserve(bytes: number, what: string): Reservation;
}

/** A bound of `limit` bytes. It counts what is asked of it and measures nothing, so that the answer is there before anything is allocated. */
export function memoryBound(limit: number): MemoryBound {
  let used = 0;
  return {
    limit,
    get used() {
      return used;
    },
    reserve(bytes, what) {
      if (used + bytes > limit)
        throw new GlacisError(
          'model/too-large',
          `${what}: expected at most ${limit - used} bytes (the models' memory is ${limit}, ${used} are in use), got ${bytes}`,
        );
      let own = bytes;
      used += own;
      const shrink = (to: number) => {
        used -= own - Math.min(own, to);
        own = Math.min(own, to);
      };
      return { shrink, release: () => shrink(0) };
    },
  };
}

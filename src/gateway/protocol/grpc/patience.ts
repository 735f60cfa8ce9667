/**
 * Lets go of what takes too long. Whatever is watched has the same time, so that the oldest is always first: a look costs nothing where
 * nothing is late.
 */
export class Patience<T> {
  readonly #milliseconds: number;
  readonly #give: (late: T) => void;
  readonly #since = new Map<T, number>();

  /** `give` is called for what was watched for longer than `milliseconds`. */
  constructor(milliseconds: number, give: (late: T) => void) {
    this.#milliseconds = milliseconds;
    this.#give = give;
  }

  /** Watches from now on, anew where it was watched. */
  watch(item: T, now: number): void {
    this.#since.delete(item);
    this.#since.set(item, now);
  }

  forget(item: T): void {
    this.#since.delete(item);
  }

  /** Gives up what is late. */
  look(now: number): void {
    for (const [item, since] of this.#since) {
      if (now - since < this.#milliseconds) return;
      this.#since.delete(item);
      this.#give(item);
    }
  }
}

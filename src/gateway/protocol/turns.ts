import { neighbourhoodOf } from '../identity/network-address.ts';

/**
 * Lets so many work at once, and neighbourhoods of addresses take turns: whoever asks much waits for himself, and nobody for more than one
 * request of each other.
 */
export class Turns {
  #free: number;
  /** Who waits, by neighbourhood; whose turn it is stands first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Waits for a turn; undefined: at once. Each must be given back. */
  take(address: string): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => {
      const who = neighbourhoodOf(address);
      const queue = this.#waiting.get(who);
      if (queue) queue.push(resolve);
      else this.#waiting.set(who, [resolve]);
    });
  }

  /** Gives a turn back: the neighbourhood that waits longest since its last one is next. */
  give(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#free++;
      return;
    }
    const [who, queue] = first;
    this.#waiting.delete(who);
    const next = queue.shift()!;
    if (queue.length > 0) this.#waiting.set(who, queue);
    next();
  }
}

import { neighbourhoodOf } from '../identity/network-address.ts';

/** What one request holds of the memory that all share. */
export interface Lease {
  /** Asks for `bytes` in all; false where there is no room, and then it keeps what it had. */
  grow(bytes: number): boolean;
  /** Gives everything back; twice is once. */
  end(): void;
}

/**
 * Bounds the bytes of all requests that are read or worked on, whoever sends them: `most` together, and `share` for one neighbourhood of
 * addresses, so that nobody shuts out the others with requests that never end.
 */
export class ByteBudget {
  readonly #most: number;
  readonly #share: number;
  readonly #used = new Map<string, number>();
  #total = 0;

  constructor(most: number, share: number) {
    this.#most = most;
    this.#share = share;
  }

  /** Bytes that are held now. */
  get total(): number {
    return this.#total;
  }

  /** A lease of nothing yet. */
  lease(address: string): Lease {
    const who = neighbourhoodOf(address);
    let held = 0;
    return {
      grow: (bytes) => {
        const more = bytes - held;
        if (more <= 0) return true;
        const mine = this.#used.get(who) ?? 0;
        if (this.#total + more > this.#most || mine + more > this.#share) return false;
        this.#used.set(who, mine + more);
        this.#total += more;
        held = bytes;
        return true;
      },
      end: () => {
        if (held === 0) return;
        const left = this.#used.get(who)! - held;
        if (left > 0) this.#used.set(who, left);
        else this.#used.delete(who);
        this.#total -= held;
        held = 0;
      },
    };
  }
}

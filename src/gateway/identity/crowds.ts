import { Refused } from '../refusal.ts';
import { neighbourhoodOf } from './network-address.ts';

/** Lets a few through at a time. */
export interface Crowds {
  /** Does the work unless the address has too much of it under way. Errors: `Refused` `throttled`; those of the work. */
  through<T>(address: string, work: () => Promise<T>): Promise<T>;
}

/** Bounds what one address (of IPv6: one /64) has under way at the same time. */
export function crowds(most: number): Crowds {
  const underWay = new Map<string, number>();
  return {
    async through(address, work) {
      const key = neighbourhoodOf(address);
      const count = underWay.get(key) ?? 0;
      if (count >= most)
        throw new Refused('throttled', 'too many new tokens from this address at once', { retryAfter: 1 });
      underWay.set(key, count + 1);
      try {
        return await work();
      } finally {
        const left = underWay.get(key)! - 1;
        if (left === 0) underWay.delete(key);
        else underWay.set(key, left);
      }
    },
  };
}

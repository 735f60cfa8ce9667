import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { recent } from '../../detect/queries/recent.ts';

/** Clients that an alarm holds for a while. */
export interface Holds {
  /** Until a time in milliseconds since 1970; never shortened. */
  hold(client: string, until: number): void;
  isHeld(client: string, now: number): boolean;
  /** Plain JSON, for {@link openHolds}. */
  keep(): unknown;
}

const kept = z.array(z.tuple([z.string(), z.number()])).max(2 ** 20);

/** Holds up to `most` clients: the one held least recently is let go first. Errors: `result/invalid` for something that was not kept. */
export function openHolds(most: number, before?: unknown): Holds {
  const held = recent<string, { until: number }>(most);
  const hold = (client: string, until: number) => {
    const entry = held.at(client, () => ({ until }));
    entry.until = Math.max(entry.until, until);
  };
  if (before !== undefined) {
    const read = kept.safeParse(before);
    if (!read.success)
      throw new GlacisError('result/invalid', 'held clients: expected what was kept, got something else');
    for (const [client, until] of read.data) hold(client, until);
  }
  return {
    hold,
    isHeld: (client, now) => (held.get(client)?.until ?? Number.NEGATIVE_INFINITY) > now,
    keep: () => [...held.entries()].map(([client, { until }]) => [client, until]),
  };
}

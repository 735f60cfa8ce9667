import { type FeedParameters, type FeedRule, type Reading, readFeed } from './reading.ts';

/** Remembers each party's last readings of every feed; bounded. */
export interface FeedWatch {
  /**
   * Why the request is refused, or `undefined`; then its readings are remembered, those of all feeds or of none. `input` is a digest of the values that were sent,
   * where repetitions count.
   */
  check(party: string, parameters: FeedParameters, now: number, input?: number): string | undefined;
  /** Parties that are remembered. */
  readonly size: number;
}

/** How {@link openFeedWatch} watches. */
export interface FeedWatchOptions {
  readonly feeds: readonly FeedRule[];
  /** Most parties that are remembered. */
  readonly mostParties: number;
  /** The same input may come so often in a row. */
  readonly mostRepeats?: number | undefined;
  /** When watching began, in milliseconds since 1970: what was taken before may have been answered before. */
  readonly since: number;
}

interface Remembered {
  readonly readings: readonly Reading[];
  readonly input: number | undefined;
  readonly repeats: number;
}

/**
 * Watches feeds: each reading is later than the party's last one (a time of its own feed that grows, or a sequence number that grows and a time that does not fall), so that
 * none counts twice. Readings from before the start are refused where they carry a time: a restart forgets what was answered, and an old reading is fresh for `maxAge` only.
 * When the memory is full, the party that was quiet for longest is forgotten if its readings have become stale, so that none of them can come again; otherwise a party that
 * is not known is refused.
 */
export function openFeedWatch({ feeds, mostParties, mostRepeats, since }: FeedWatchOptions): FeedWatch {
  // In the order of their last requests: the first has been quiet for longest.
  const known = new Map<string, Remembered>();
  // What is forgotten then could not come again.
  const isStale = ({ readings }: Remembered, now: number) =>
    feeds.every(({ time, sequence }, i) =>
      time ? readings[i]!.time! < now - time.maxAge : sequence === undefined,
    );
  const hasRoom = (now: number) => {
    if (known.size < mostParties) return true;
    const [first] = known;
    if (first === undefined || !isStale(first[1], now)) return false;
    known.delete(first[0]);
    return true;
  };
  return {
    get size() {
      return known.size;
    },
    check(party, parameters, now, input) {
      const before = known.get(party);
      const readings: Reading[] = [];
      for (const [i, feed] of feeds.entries()) {
        const reading = readFeed(feed, parameters, now);
        if (typeof reading === 'string') return `feed ${feed.name}: ${reading}`;
        if (reading.time !== undefined && reading.time < since)
          return `feed ${feed.name}: the reading was taken before watching began`;
        const last = before?.readings[i];
        const wrong = last && orderFault(feed, last, reading);
        if (wrong !== undefined) return `feed ${feed.name}: ${wrong}`;
        readings.push(reading);
      }
      const repeats = before && input !== undefined && before.input === input ? before.repeats + 1 : 1;
      if (mostRepeats !== undefined && repeats > mostRepeats)
        return `the same input came ${repeats} times in a row`;
      if (before) known.delete(party);
      else if (!hasRoom(now)) return 'too many parties to remember';
      known.set(party, { readings, input, repeats });
      return undefined;
    },
  };
}

function orderFault({ sequence }: FeedRule, last: Reading, next: Reading): string | undefined {
  if (sequence && last.sequence !== undefined && next.sequence !== undefined) {
    if (next.sequence <= last.sequence) return 'the sequence number did not grow';
    if (next.sequence - last.sequence > sequence.maxGap)
      return `the sequence number grew by more than ${sequence.maxGap}`;
    return last.time !== undefined && next.time! < last.time ? 'the time fell' : undefined;
  }
  return last.time !== undefined && next.time! <= last.time ? 'the time did not grow' : undefined;
}

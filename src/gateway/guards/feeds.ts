import { z } from 'zod';
import { inputDigest } from '../../detect/feed/input-digest.ts';
import { openFeedWatch } from '../../detect/feed/watch.ts';
import type { GuardKind } from '../guard.ts';

const parameter = z.string().min(1).max(256).describe('Name of a request parameter.');

const seconds = z.number().gt(0).max(1e9);

const feed = z
  .strictObject({
    name: z.string().min(1).max(256).describe('For the log.'),
    time: z
      .strictObject({
        parameter,
        unit: z
          .enum(['s', 'ms'])
          .default('ms')
          .describe('What a number counts since 1970; texts are read as ISO 8601.'),
        maxAge: seconds.default(60).describe('Seconds after which a reading is stale.'),
        maxAhead: z
          .number()
          .min(0)
          .max(1e6)
          .default(2)
          .describe("Seconds that the source's clock may be ahead."),
      })
      .optional()
      .describe('When the values were taken.'),
    sequence: z
      .strictObject({
        parameter,
        maxGap: z
          .number()
          .int()
          .min(1)
          .max(Number.MAX_SAFE_INTEGER)
          .default(Number.MAX_SAFE_INTEGER)
          .describe('How far it may jump from one request to the next.'),
      })
      .optional()
      .describe('A whole number that grows with each reading.'),
    agree: z
      .strictObject({
        parameters: z.tuple([parameter, parameter]),
        absolute: z.number().min(0).default(0).describe('They may differ by this much …'),
        relative: z.number().min(0).max(2).default(0.001).describe('… or by this share of the larger.'),
      })
      .optional()
      .describe('The same quantity from two sources.'),
  })
  .refine(({ time, sequence, agree }) => (time ?? sequence ?? agree) !== undefined, {
    error: 'one of time, sequence and agree',
  });

const options = z.strictObject({
  feeds: z.array(feed).min(1).max(16).describe('What each request must say of its feeds.'),
  mostParties: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Most principals whose last readings are remembered.'),
  mostRepeats: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('The same input may come so often in a row: a feed that stands still is refused.'),
});

/**
 * Refuses requests whose feeds are stale, from the future, repeated or out of order, or whose two sources do not agree. A reading counts once for a principal. What
 * callers say of their own feeds is believed: it keeps old and broken feeds out and makes a replayed request worthless; a principal that lies about times consistently is not found.
 * Cost: microseconds; with `mostRepeats` one pass over the input. Memory: `mostParties` times the number of feeds.
 */
export const feedsGuard: GuardKind<z.output<typeof options>> = {
  name: 'feeds',
  about: 'Refuses feeds that are stale, replayed or out of order, or whose sources do not agree.',
  options,
  make({ feeds, mostParties, mostRepeats }, { now }) {
    const watch = openFeedWatch({
      feeds: feeds.map(({ time, ...rest }) => ({
        ...rest,
        time: time && { ...time, maxAge: 1000 * time.maxAge, maxAhead: 1000 * time.maxAhead },
      })),
      mostParties,
      mostRepeats,
      since: now(),
    });
    return {
      name: 'feeds',
      phase: 'before',
      judge({ principal, parameters, now, floats }) {
        const x = mostRepeats === undefined ? undefined : floats();
        const because = watch.check(principal.id, parameters, now, x && inputDigest(x));
        return because === undefined ? { action: 'pass', score: 0 } : { action: 'refuse', score: 1, because };
      },
    };
  },
};

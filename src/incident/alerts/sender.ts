import { GlacisError } from '../../core/error.ts';
import { isLoud } from './message.ts';
import type { Outbox, Waiting } from './outbox.ts';
import { endOfQuiet } from './quiet-hours.ts';
import { pauseAfter, type Receiver } from './receiver.ts';

/** What sending stands on. */
export interface SenderSurroundings {
  readonly outbox: Outbox;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  /** Whether nothing more is to be begun. */
  readonly isClosed: () => boolean;
}

const HOUR = 3_600_000;
/** Messages on their way at once, to one receiver. */
const AT_ONCE = 4;
/** For how long a message is taken to be on its way before somebody else tries it. */
const CLAIM = 60_000;
/** Tries of a message that the receiver does not take while it takes others. */
const MOST_REFUSED = 5;

/** Sends what is due to a receiver, until nothing is or the receiver is to be left alone. Errors: those of the store. */
export async function sendTo(to: Receiver, given: SenderSurroundings): Promise<void> {
  const { outbox, now, isClosed } = given;
  const { name, mostAnHour, quiet } = to.config;
  while (!isClosed()) {
    const at = now();
    if (at < to.pausedUntil) return;
    const room = mostAnHour - (await outbox.sentSince(name, at - HOUR));
    const most = Math.min(to.failures > 0 ? 1 : AT_ONCE, room);
    if (most <= 0) {
      to.pausedUntil = at + Math.ceil(HOUR / mostAnHour);
      return;
    }
    const found = await outbox.due(name, at, most);
    if (found.length === 0) return;
    await Promise.all(
      found.map((waiting) => {
        // Kept for the day, or quiet hours have come since.
        const open =
          waiting.row.severity === 'critical' || isLoud(waiting.message) ? at : endOfQuiet(quiet, at);
        return open > at ? outbox.postpone(waiting, open) : tryOne(waiting, to, given);
      }),
    );
  }
}

async function tryOne(
  waiting: Waiting,
  to: Receiver,
  { outbox, now, random, failed }: SenderSurroundings,
): Promise<void> {
  const { row, message } = waiting;
  const begun = now();
  if (!(await outbox.claim(waiting, begun + CLAIM))) return;
  const delivery = await to.channel.deliver({ id: row.id, message, at: row.at, now: begun });
  const at = now();
  if (delivery.ok) {
    Object.assign(to, { failures: 0, failingSince: undefined, because: undefined, pausedUntil: 0 });
    await outbox.finish(waiting, { state: 'sent', at });
    return;
  }
  const { because, wait, isRefused = false } = delivery;
  to.because = because;
  const tries = row.tries + 1;
  if (!isRefused) {
    to.failures++;
    to.failingSince ??= at;
    to.pausedUntil = at + Math.max(wait ?? 0, pauseAfter(to.failures, random()));
  }
  if (at >= row.until || (isRefused && tries >= MOST_REFUSED)) {
    await outbox.finish(waiting, { state: 'given-up', because, due: at });
    failed(
      'alerts',
      new GlacisError(
        'endpoint/unavailable',
        `alerts: ${to.config.name}: gave up a message after ${tries} tries: ${because}`,
      ),
    );
  } else
    await outbox.finish(waiting, {
      state: 'waiting',
      because,
      due: isRefused ? at + pauseAfter(tries, random()) : to.pausedUntil,
    });
}

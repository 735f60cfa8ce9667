import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import type { Case } from '../case.ts';
import type { IncidentChange } from '../change.ts';
import type { Channel } from './channel.ts';
import type { AlertsConfig, ChannelConfig } from './config-schema.ts';
import { type AlertMessage, isAsBad, messageFrom, messageOfCase, testMessage } from './message.ts';
import { type ChannelSurroundings, openChannel } from './open-channel.ts';
import { openOutbox, type Waiting } from './outbox.ts';
import { endOfQuiet } from './quiet-hours.ts';
import {
  type AlertPage,
  type AlertQuery,
  type ChannelState,
  channelStates,
  listAlerts,
  type ShownAlert,
  shownAlert,
} from './show.ts';

/** What alerts stand on. */
export interface AlertsSurroundings extends ChannelSurroundings {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** 128 random bits, hexadecimal. */
  readonly freshId: () => string;
  readonly failed: (where: string, thrown: unknown) => void;
  /** Cases that were opened lately: whoever was not told of one because this process ended in between is told at the start. */
  readonly recent: () => Promise<readonly Case[]>;
  /** Whether it sends by itself when something is due; true without. Tests send by `send`. */
  readonly isTimed?: boolean | undefined;
}

/** Tells people of cases. */
export interface Alerts {
  /** Hears of a change in a case. Costs microseconds; never throws. */
  notify(change: IncidentChange): void;
  /** Sends what is due; resolves when nothing more is. */
  send(): Promise<void>;
  /** A message that goes the way of all others, whatever the time and severity; gives how it stands after the first try. Errors: `option/invalid` for a channel that is not there; those of the store. */
  test(channel: string, by: string): Promise<ShownAlert>;
  /** Tries again one that was given up. Errors: `option/invalid`. */
  again(id: string): Promise<ShownAlert>;
  channels(): Promise<readonly ChannelState[]>;
  outbox(query: AlertQuery): Promise<AlertPage>;
  /** Which receivers have taken nothing for a while; undefined where all do. */
  readonly problem: string | undefined;
  /** Reads other receivers; the function that it gives puts them in force. Errors: `option/invalid`. */
  prepare(config: AlertsConfig): Promise<() => void>;
  /** Ends after what is on its way; the rest waits in the store. */
  close(): Promise<void>;
}

interface Receiver {
  readonly config: ChannelConfig;
  readonly channel: Channel;
  /** Tries in a row that found it not taking anything. */
  failures: number;
  failingSince: number | undefined;
  because: string | undefined;
  /** Left alone until then. */
  pausedUntil: number;
}

/** A message that is not in the store yet, and for which receivers it is. */
interface Incoming {
  readonly message: AlertMessage;
  readonly kept: Set<string>;
}

const SECOND = 1000;
const HOUR = 3_600_000;
/** Pauses after failures: doubled from the first to the longest, less up to half by chance. */
const FIRST_PAUSE = 5 * SECOND;
const LONGEST_PAUSE = 600 * SECOND;
/** Messages on their way at once, to one receiver. */
const AT_ONCE = 4;
/** For how long a message is taken to be on its way before somebody else tries it. */
const CLAIM = 60 * SECOND;
/** Tries of a message that the receiver does not take while it takes others. */
const MOST_REFUSED = 5;
/** Changes that wait for the store. */
const MOST_INCOMING = 10_000;
/** A receiver that has failed so long is a problem of the service. */
const PROBLEM_AFTER = 300 * SECOND;
/** The longest that nothing is looked for: other gateways write into the same store. */
const LONGEST_SLEEP = 30 * SECOND;
/** And the shortest: what is due may have to wait for another of its case. */
const SHORTEST_SLEEP = SECOND;

/**
 * Opens alerts. A message is in the store before it is sent and stays until it has arrived, so it arrives at least once: after a crash, and after a receiver was down for as long
 * as `retryFor`. Of one case they arrive in order. A receiver that takes nothing is asked by one message at a time, with growing pauses. Errors: `option/invalid`.
 */
export async function openAlerts(initial: AlertsConfig, given: AlertsSurroundings): Promise<Alerts> {
  const { store, now, random, freshId, failed, address } = given;
  const outbox = openOutbox(store);
  let receivers = await openAll(initial, given);
  const incoming: Incoming[] = [];
  let keeping: Promise<void> | undefined;
  let sending: Promise<void> | undefined;
  let isWanted = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let dropped = 0;
  let retry: NodeJS.Timeout | undefined;
  let retryAfter = SECOND;

  const keep = async (
    message: AlertMessage,
    to: Receiver,
    id = freshId(),
    subject = message.case.id,
  ): Promise<void> => {
    const { name, bundle, quiet, retryFor } = to.config;
    const at = now();
    const open = isLoud(message) ? at : endOfQuiet(quiet, at);
    const bundled = isLoud(message) ? at + bundle : endOfQuiet(quiet, at + bundle);
    await outbox.add({
      id,
      channel: name,
      subject,
      message,
      at,
      due: open,
      bundledDue: bundled,
      until: at + retryFor,
    });
  };
  const keepAll = async (): Promise<void> => {
    clearTimeout(retry);
    try {
      while (incoming.length > 0) {
        const [{ message, kept }] = incoming as [Incoming];
        for (const receiver of receivers.values()) {
          const { name, least } = receiver.config;
          if (kept.has(name) || !isAsBad(message.case.severity, least)) continue;
          await keep(message, receiver);
          kept.add(name);
        }
        incoming.shift();
      }
      retryAfter = SECOND;
      wake(0);
    } catch (thrown) {
      failed('alerts', thrown);
      if (isClosed) return;
      retry = setTimeout(() => void keepIncoming(), retryAfter);
      retry.unref();
      retryAfter = Math.min(2 * retryAfter, 60 * SECOND);
    }
  };
  const keepIncoming = (): Promise<void> => {
    keeping ??= keepAll().finally(() => {
      keeping = undefined;
    });
    return keeping;
  };
  const take = (message: AlertMessage): void => {
    if (incoming.length >= MOST_INCOMING) {
      // The cases themselves are in the store that does not answer: whoever was not told is told at the next start.
      if (dropped++ === 0)
        failed(
          'alerts',
          new GlacisError(
            'store/unavailable',
            'alerts: expected the store to keep up, got more messages than are held',
          ),
        );
      return;
    }
    incoming.push({ message, kept: new Set() });
    // After a failure the next try has its time.
    if (incoming.length === 1 || keeping !== undefined || retryAfter === SECOND) void keepIncoming();
  };

  const tryOne = async (waiting: Waiting, to: Receiver): Promise<void> => {
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
  };
  const sendTo = async (to: Receiver): Promise<void> => {
    const { name, mostAnHour, quiet } = to.config;
    while (!isClosed) {
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
          return open > at ? outbox.postpone(waiting, open) : tryOne(waiting, to);
        }),
      );
    }
  };
  const sendAll = async (): Promise<void> => {
    do {
      isWanted = false;
      await Promise.all(
        [...receivers.values()].map((to) => sendTo(to).catch((thrown) => failed('alerts', thrown))),
      );
    } while (isWanted && !isClosed);
  };
  const send = async (): Promise<void> => {
    await keepIncoming();
    isWanted = true;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      void schedule();
    });
    await sending;
  };
  const wake = (after: number): void => {
    if (isClosed || given.isTimed === false) return;
    clearTimeout(timer);
    timer = setTimeout(() => void send(), after);
    timer.unref();
  };
  const schedule = async (): Promise<void> => {
    if (isClosed || given.isTimed === false) return;
    const at = now();
    const due = await Promise.all(
      [...receivers.values()].map(async ({ config, pausedUntil }) =>
        pausedUntil > at ? pausedUntil : ((await outbox.next(config.name)) ?? Number.POSITIVE_INFINITY),
      ),
    ).catch(() => []);
    wake(Math.min(LONGEST_SLEEP, Math.max(SHORTEST_SLEEP, Math.min(...due) - at)));
  };
  const shown = async (id: string): Promise<ShownAlert> => {
    const row = await store.db
      .selectFrom('alerts')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return shownAlert(row);
  };

  // Told now: those whose case was kept while its message was not.
  const recent = await given.recent().catch((thrown: unknown): readonly Case[] => {
    failed('alerts', thrown);
    return [];
  });
  for (const found of recent.filter(({ state }) => state !== 'closed'))
    for (const receiver of receivers.values())
      if (
        isAsBad(found.severity, receiver.config.least) &&
        !(await outbox.isTold(receiver.config.name, found.id))
      )
        await keep(messageOfCase(found, address), receiver);
  wake(0);

  return {
    notify(change) {
      try {
        const message = messageFrom(change, address);
        if (message !== undefined && receivers.size > 0) take(message);
      } catch (thrown) {
        failed('alerts', thrown);
      }
    },
    send,
    async test(name, by) {
      const receiver = receivers.get(name);
      if (receiver === undefined)
        throw new GlacisError(
          'option/invalid',
          `alerts: expected the name of a channel, got '${name.slice(0, 64)}'`,
        );
      const id = freshId();
      const subject = `test-${id}`;
      const message = testMessage(subject, by, now(), address);
      await keep(message, receiver, id, subject);
      // There, it would stay open as a case that nobody can close.
      if (receiver.config.kind === 'pagerduty')
        await keep({ ...message, action: 'resolve' }, receiver, freshId(), subject);
      receiver.pausedUntil = 0;
      await send();
      return shown(id);
    },
    async again(id) {
      const at = now();
      const row = await store.db
        .selectFrom('alerts')
        .select(['channel'])
        .where('id', '=', id)
        .where('state', '=', 'given-up')
        .executeTakeFirst();
      const receiver = row && receivers.get(row.channel);
      if (receiver === undefined)
        throw new GlacisError(
          'option/invalid',
          'alerts: expected a message that was given up, of a channel that is configured',
        );
      await store.db
        .updateTable('alerts')
        .set({ state: 'waiting', due: at, until: at + receiver.config.retryFor, tries: 0 })
        .where('id', '=', id)
        .where('state', '=', 'given-up')
        .execute();
      receiver.pausedUntil = 0;
      await send();
      return shown(id);
    },
    channels: () => channelStates(store, [...receivers.values()]),
    outbox: (query) => listAlerts(store, query),
    get problem() {
      const failing = [...receivers.values()].filter(
        ({ failingSince }) => failingSince !== undefined && now() - failingSince >= PROBLEM_AFTER,
      );
      return failing.length === 0
        ? undefined
        : failing.map(({ config, because }) => `${config.name}: ${because}`).join('; ');
    },
    async prepare(config) {
      const next = await openAll(config, given);
      return () => {
        receivers = next;
        wake(0);
      };
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(retry);
      await keeping;
      await sending;
    },
  };
}

/** What no quiet hours hold back. */
function isLoud({ action, case: about }: AlertMessage): boolean {
  return about.severity === 'critical' || action === 'test' || about.id.startsWith('test-');
}

/** Whole milliseconds. */
function pauseAfter(failures: number, chance: number): number {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 20));
  return Math.ceil(pause * (0.5 + chance / 2));
}

async function openAll(
  { channels }: AlertsConfig,
  given: ChannelSurroundings,
): Promise<Map<string, Receiver>> {
  const opened = await Promise.all(
    channels.map(async (config) => ({
      config,
      channel: await openChannel(config, given),
      failures: 0,
      failingSince: undefined,
      because: undefined,
      pausedUntil: 0,
    })),
  );
  return new Map(opened.map((each) => [each.config.name, each]));
}

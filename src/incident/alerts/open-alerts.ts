import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import type { Case } from '../case.ts';
import type { IncidentChange } from '../change.ts';
import type { AlertsConfig } from './config-schema.ts';
import { openIncoming } from './incoming.ts';
import { type AlertMessage, isAsBad, isLoud, messageFrom, messageOfCase, testMessage } from './message.ts';
import type { ChannelSurroundings } from './open-channel.ts';
import { openOutbox } from './outbox.ts';
import { endOfQuiet } from './quiet-hours.ts';
import { openReceivers, problemOf, type Receiver } from './receiver.ts';
import { sendTo } from './sender.ts';
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
  /** Runs something later, once, and gives what takes that back: how it sends by itself when something is due. A timer that keeps no process alive without. */
  readonly later?: ((run: () => void, milliseconds: number) => () => void) | undefined;
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

/** The longest that nothing is looked for: other gateways write into the same store. */
const LONGEST_SLEEP = 30_000;
/** And the shortest: what is due may have to wait for another of its case. */
const SHORTEST_SLEEP = 1000;

/**
 * Opens alerts. A message is in the store before it is sent and stays until it has arrived, so it arrives at least once: after a crash, and after a receiver was down for as long
 * as `retryFor`. Of one case they arrive in order. A receiver that takes nothing is asked by one message at a time, with growing pauses. Errors: `option/invalid`.
 */
export async function openAlerts(initial: AlertsConfig, given: AlertsSurroundings): Promise<Alerts> {
  const { store, now, random, freshId, failed, address, later = timed } = given;
  const outbox = openOutbox(store);
  let receivers = await openReceivers(initial, given);
  let sending: Promise<void> | undefined;
  let isWanted = false;
  let isClosed = false;
  let takeBack = () => {};
  const sender = { outbox, now, random, failed, isClosed: () => isClosed };

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
  const wake = (after: number): void => {
    if (isClosed) return;
    takeBack();
    takeBack = later(() => void send(), after);
  };
  const incoming = openIncoming({
    receivers: () => receivers.values(),
    keep,
    kept: () => wake(0),
    failed,
  });
  const sendAll = async (): Promise<void> => {
    do {
      isWanted = false;
      await Promise.all(
        [...receivers.values()].map((to) => sendTo(to, sender).catch((thrown) => failed('alerts', thrown))),
      );
    } while (isWanted && !isClosed);
  };
  const send = async (): Promise<void> => {
    await incoming.keep();
    isWanted = true;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      void schedule();
    });
    await sending;
  };
  const schedule = async (): Promise<void> => {
    if (isClosed) return;
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
        if (message !== undefined && receivers.size > 0) incoming.take(message);
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
      return problemOf(receivers.values(), now());
    },
    async prepare(config) {
      const next = await openReceivers(config, given);
      return () => {
        receivers = next;
        wake(0);
      };
    },
    async close() {
      isClosed = true;
      takeBack();
      await incoming.close();
      await sending;
    },
  };
}

const timed: NonNullable<AlertsSurroundings['later']> = (run, milliseconds) => {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
};

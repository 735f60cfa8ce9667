import type { AlarmSeverity } from '../../monitor/alarm.ts';
import type { AlertOutboxRow, Store } from '../../store/index.ts';
import { type AlertMessage, isAsBad, joined } from './message.ts';
import { plain } from './plain.ts';

/** A message to one receiver, to be kept before anything is sent. */
export interface Wish {
  /** 128 random bits, hexadecimal. */
  readonly id: string;
  readonly channel: string;
  readonly subject: string;
  readonly message: AlertMessage;
  readonly at: number;
  /** When it may be sent: at once, and how long news of a case waits for more of them. */
  readonly due: number;
  readonly bundledDue: number;
  /** Given up after. */
  readonly until: number;
}

/** A message that waits, as the sender has it. */
export interface Waiting {
  readonly row: AlertOutboxRow;
  readonly message: AlertMessage;
}

/** A state of a row that was tried. */
export type Outcome =
  | { readonly state: 'sent'; readonly at: number }
  | { readonly state: 'waiting' | 'given-up'; readonly because: string; readonly due: number };

/** Messages on their way, in the store: what is there is sent at least once, whatever happens to this process. Errors of all: those of the store. */
export interface Outbox {
  /**
   * Keeps a message. News about a case join a message of it that still waits; an alarm no worse than what was told before is news; news about what was never told
   * are nothing. What is critical takes along whatever of its case waits for the end of quiet hours.
   */
  add(wish: Wish): Promise<void>;
  /** Those that may be sent now, in order: of each subject the first. */
  due(channel: string, now: number, most: number): Promise<readonly Waiting[]>;
  /** Takes one to be sent; false where another gateway was faster, or it has changed. */
  claim(waiting: Waiting, until: number): Promise<boolean>;
  /** Writes down how a claimed one ended; one that has changed meanwhile stays waiting. */
  finish(waiting: Waiting, outcome: Outcome): Promise<void>;
  postpone(waiting: Waiting, due: number): Promise<void>;
  /** When the next one of a channel may be sent; undefined where none waits. */
  next(channel: string): Promise<number | undefined>;
  sentSince(channel: string, since: number): Promise<number>;
  isTold(channel: string, subject: string): Promise<boolean>;
}

const ORDER_STEP = 1000;

/** Opens it. */
export function openOutbox(store: Pick<Store, 'db' | 'transact'>): Outbox {
  const { db } = store;
  let last = 0;
  const sequenceAt = (at: number): number => {
    last = Math.max(last + 1, at * ORDER_STEP);
    return last;
  };
  return {
    add: (wish) =>
      store.transact(async (trx) => {
        const { id, channel, subject, at, until } = wish;
        const before = await trx
          .selectFrom('alerts')
          .selectAll()
          .where('channel', '=', channel)
          .where('subject', '=', subject)
          .orderBy('sequence', 'desc')
          .limit(50)
          .execute();
        const message = adjusted(wish.message, before);
        if (message === undefined) return;
        const { severity, title } = message.case;
        const due = message.action === 'update' ? wish.bundledDue : wish.due;
        const [newest] = before;
        if (newest?.state === 'waiting' && actionOf(newest) === 'update') {
          const both = joined(messageOf(newest), message);
          await trx
            .updateTable('alerts')
            .set({
              ...{ severity, message: JSON.stringify(both) },
              title: plain(title),
              due: Math.min(newest.due, due),
              revision: newest.revision + 1,
            })
            .where('id', '=', newest.id)
            .execute();
        } else
          await trx
            .insertInto('alerts')
            .values({
              ...{ id, channel, subject, at, severity, due, until },
              sequence: Math.max(sequenceAt(at), (newest?.sequence ?? 0) + 1),
              title: plain(title),
              case_id: message.action === 'test' || subject.startsWith('test') ? null : message.case.id,
              message: JSON.stringify(message),
              ...{ state: 'waiting', tries: 0, revision: 0, sent: null, because: null },
            })
            .execute();
        if (severity === 'critical')
          await trx
            .updateTable('alerts')
            .set({ due: wish.due, severity })
            .where('channel', '=', channel)
            .where('subject', '=', subject)
            .where('state', '=', 'waiting')
            .where('tries', '=', 0)
            .execute();
      }),
    async due(channel, now, most) {
      const rows = await db
        .selectFrom('alerts as one')
        .selectAll()
        .where('one.channel', '=', channel)
        .where('one.state', '=', 'waiting')
        .where('one.due', '<=', now)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('alerts as other')
                .select('other.id')
                .whereRef('other.channel', '=', 'one.channel')
                .whereRef('other.subject', '=', 'one.subject')
                .where('other.state', '=', 'waiting')
                .whereRef('other.sequence', '<', 'one.sequence'),
            ),
          ),
        )
        .orderBy('one.sequence')
        .limit(most)
        .execute();
      return rows.map((row) => ({ row, message: messageOf(row) }));
    },
    async claim({ row }, until) {
      const { numUpdatedRows } = await db
        .updateTable('alerts')
        .set({ due: until, tries: row.tries + 1, revision: row.revision + 1 })
        .where('id', '=', row.id)
        .where('revision', '=', row.revision)
        .where('state', '=', 'waiting')
        .executeTakeFirst();
      return Number(numUpdatedRows) === 1;
    },
    async finish({ row }, outcome) {
      const change =
        outcome.state === 'sent'
          ? { state: 'sent', sent: outcome.at, because: null }
          : { state: outcome.state, because: outcome.because.slice(0, 300), due: outcome.due };
      const { numUpdatedRows } = await db
        .updateTable('alerts')
        .set({ ...change, revision: row.revision + 2 })
        .where('id', '=', row.id)
        .where('revision', '=', row.revision + 1)
        .executeTakeFirst();
      // Something was added while it was on its way: it goes once more, with that.
      if (Number(numUpdatedRows) === 0 && outcome.state !== 'given-up')
        await db
          .updateTable('alerts')
          .set({ due: outcome.state === 'sent' ? outcome.at : outcome.due })
          .where('id', '=', row.id)
          .where('state', '=', 'waiting')
          .execute();
    },
    async postpone({ row }, due) {
      await db
        .updateTable('alerts')
        .set({ due })
        .where('id', '=', row.id)
        .where('revision', '=', row.revision)
        .execute();
    },
    async next(channel) {
      const row = await db
        .selectFrom('alerts')
        .select(({ fn }) => fn.min('due').as('due'))
        .where('state', '=', 'waiting')
        .where('channel', '=', channel)
        .executeTakeFirst();
      return row?.due === null || row?.due === undefined ? undefined : Number(row.due);
    },
    async sentSince(channel, since) {
      const row = await db
        .selectFrom('alerts')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('channel', '=', channel)
        .where('state', '=', 'sent')
        .where('sent', '>', since)
        .executeTakeFirst();
      return Number(row?.count ?? 0);
    },
    async isTold(channel, subject) {
      const row = await db
        .selectFrom('alerts')
        .select('id')
        .where('channel', '=', channel)
        .where('subject', '=', subject)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}

/** What a message is, given what was said before about the same thing, the newest first. */
function adjusted(message: AlertMessage, before: readonly AlertOutboxRow[]): AlertMessage | undefined {
  const { action, alarm } = message;
  if (action === 'trigger') {
    const [newest] = before;
    if (alarm === undefined || newest === undefined || actionOf(newest) === 'resolve') return message;
    const isTold = before.some(({ severity }) => isAsBad(severity as AlarmSeverity, message.case.severity));
    return isTold ? { ...message, action: 'update' } : message;
  }
  return action === 'test' || before.length > 0 ? message : undefined;
}

function messageOf({ message }: AlertOutboxRow): AlertMessage {
  return JSON.parse(message) as AlertMessage;
}

function actionOf(row: AlertOutboxRow): AlertMessage['action'] {
  return messageOf(row).action;
}

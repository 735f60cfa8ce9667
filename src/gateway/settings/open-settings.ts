import { randomBytes } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import type { ServeConfig } from '../config/serve-schema.ts';
import type { Event } from '../decision.ts';
import { type Change, changeSchema, type MadeChange, subjectOf } from './change.ts';
import { withChange } from './effective.ts';

/** The row of `state` that holds the changes. */
const ROW = 'settings';
/** Between two looks for changes of other gateways, in milliseconds. */
const LOOK_EVERY = 1000;
const MOST_CHANGES = 1000;

/** What settings stand on. */
export interface SettingsSurroundings {
  readonly store: Store;
  /** Writes an event to the log and comes back when it is on the disk. Errors: `output/unwritable`. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
}

/** A change as it is shown. */
export interface ShownChange extends MadeChange {
  /** Why it has no effect: the file has changed, so that it does not fit any more. */
  readonly problem?: string | undefined;
}

/** Changes of the configuration that were made while the server ran, on top of the file. */
export interface Settings {
  /** A configuration with the changes on top; those that do not fit are left out and said. */
  over(config: ServeConfig): ServeConfig;
  /** Changes in force, the newest first. */
  list(): readonly ShownChange[];
  /** Begins to put changes in force: `apply` with the configuration that holds then, all of it or an error. `file`: the configuration of the file. */
  start(apply: (config: ServeConfig) => Promise<void>, file: () => ServeConfig): void;
  /** Makes a change: in the log first, then in the store, then in force here when this returns, and on other gateways within two seconds. Errors: `option/invalid`, those of the store. */
  make(change: Change, by: string): Promise<MadeChange>;
  /** Takes one back: what the file says holds again. Errors: `option/invalid` where there is none. */
  undo(id: string, by: string): Promise<MadeChange>;
  /** Looks now whether another gateway changed something. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

function checked(given: Change): Change {
  const parsed = changeSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new GlacisError(
    'option/invalid',
    `settings: ${issue!.path.join('.') || 'change'}: ${issue!.message}`,
  );
}

/** Opens the changes that the store has. Errors: those of the store. */
export async function openSettings({ store, record, now, failed }: SettingsSurroundings): Promise<Settings> {
  const read = async (): Promise<{ readonly text: string; readonly changes: readonly MadeChange[] }> => {
    const row = await store.db.selectFrom('state').select('value').where('name', '=', ROW).executeTakeFirst();
    const text = row?.value ?? '[]';
    return { text, changes: JSON.parse(text) as MadeChange[] };
  };
  let { text, changes } = await read();
  let problems = new Map<string, string>();
  let apply: ((config: ServeConfig) => Promise<void>) | undefined;
  let file: (() => ServeConfig) | undefined;
  let closed = false;

  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
  const over = (config: ServeConfig): ServeConfig => {
    const wrong = new Map<string, string>();
    let next = config;
    for (const { id, change } of changes)
      try {
        next = withChange(next, change);
      } catch (thrown) {
        wrong.set(id, thrown instanceof Error ? thrown.message : String(thrown));
      }
    problems = wrong;
    return next;
  };
  /** Puts these changes in force; where that fails, what was in force stays. */
  const put = async (next: {
    readonly text: string;
    readonly changes: readonly MadeChange[];
  }): Promise<void> => {
    const before = { text, changes };
    ({ text, changes } = next);
    try {
      if (apply !== undefined && file !== undefined) await apply(over(file()));
    } catch (thrown) {
      ({ text, changes } = before);
      if (apply !== undefined && file !== undefined)
        await apply(over(file())).catch((again) => failed('settings', again));
      throw thrown;
    }
  };
  /** Writes what `edit` makes of the changes that the store has by now. */
  const write = (edit: (changes: readonly MadeChange[]) => readonly MadeChange[]) =>
    store.transact(async (trx) => {
      const row = await trx.selectFrom('state').select('value').where('name', '=', ROW).executeTakeFirst();
      const next = edit(JSON.parse(row?.value ?? '[]') as MadeChange[]);
      if (next.length > MOST_CHANGES)
        throw new GlacisError(
          'option/invalid',
          `settings: expected at most ${MOST_CHANGES} changes; undo some`,
        );
      const value = JSON.stringify(next);
      await trx
        .insertInto('state')
        .values({ name: ROW, value, changed: now() })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value, changed: now() }))
        .execute();
      return { text: value, changes: next };
    });
  const told = (event: string, { id, change }: MadeChange, by: string): Event => ({
    kind: 'event',
    at: now(),
    event,
    by,
    about: { id, kind: change.kind, because: change.because, change: JSON.stringify(change).slice(0, 4000) },
  });
  const refresh = async (): Promise<void> => {
    const next = await read();
    if (next.text === text) return;
    await put(next);
    await record({
      kind: 'event',
      at: now(),
      event: 'settings-learned',
      by: 'glacis',
      about: { changes: next.changes.map(({ id }) => id) },
    });
  };
  const timer = setInterval(() => {
    if (!closed) inTurn(refresh).catch((thrown) => failed('settings', thrown));
  }, LOOK_EVERY);
  timer.unref();

  return {
    over,
    list: () =>
      changes.toReversed().map((made) => ({
        ...made,
        ...(problems.has(made.id) && { problem: problems.get(made.id)! }),
      })),
    start(given, from) {
      apply = given;
      file = from;
    },
    make: (given, by) =>
      inTurn(async () => {
        const change = checked(given);
        // Whether it fits is known before it is in the log.
        if (file !== undefined) withChange(over(file()), change);
        const made: MadeChange = { id: `S-${randomBytes(8).toString('hex')}`, by, at: now(), change };
        const subject = subjectOf(change);
        const edit = (there: readonly MadeChange[]) => [
          ...there.filter((other) => subjectOf(other.change) !== subject),
          made,
        ];
        await record(told('settings-changed', made, by));
        const before = { text, changes };
        try {
          await put({ text: '', changes: edit(changes) });
          const written = await write(edit);
          ({ text, changes } = written);
        } catch (thrown) {
          await put(before).catch((again) => failed('settings', again));
          await record(told('settings-failed', made, by)).catch(() => {});
          throw thrown;
        }
        return made;
      }),
    undo: (id, by) =>
      inTurn(async () => {
        await refresh();
        const made = changes.find((each) => each.id === id);
        if (made === undefined)
          throw new GlacisError(
            'option/invalid',
            'settings: expected the id of a change in force, got another',
          );
        await record(told('settings-undone', made, by));
        const written = await write((there) => there.filter((each) => each.id !== id));
        await put(written);
        return made;
      }),
    refresh: () => inTurn(refresh),
    async close() {
      closed = true;
      clearInterval(timer);
      await turn;
    },
  };
}

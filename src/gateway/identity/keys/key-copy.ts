import { GlacisError } from '../../../core/error.ts';
import type { KeyRecord } from './key-record.ts';
import type { DamagedKey, KeyStore } from './key-store.ts';
import { type KeyTable, openKeyTable } from './key-table.ts';

/** The keys of a store in memory, and who is shut out. */
export interface KeyCopy {
  /** Another one after a look at the store. */
  readonly table: KeyTable;
  isShutOut(principal: string): boolean;
  /** Notes a change that the store has confirmed. */
  put(record: KeyRecord): void;
  shutOut(principal: string, isOut: boolean): void;
  /** Follows what was changed in the store. Errors: those of the store; then it is as it was, or further on. */
  follow(): Promise<void>;
}

/** What {@link openKeyCopy} needs. */
export interface KeyCopySurroundings {
  readonly store: KeyStore;
  /** Most keys. */
  readonly most: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears of keys that cannot be read. */
  readonly failed: (where: string, thrown: unknown) => void;
}

/** How long before the newest change that is known others are looked for, in milliseconds: another gateway's clock may be behind. */
const BEFORE = 5000;
/** Keys that are put into the index before calls have their turn: some two milliseconds. */
const SLICE = 1000;

/**
 * An empty copy; {@link KeyCopy.follow} fills it. What it reads is no more than it must: keys that were changed lately; where sums over all keys do not come out then, because some
 * are gone or were written down late, the parts of which the sums differ; and where even that was overtaken, everything. Calls have their turn in between.
 */
export function openKeyCopy({ store, most, now, failed }: KeyCopySurroundings): KeyCopy {
  let table = openKeyTable();
  let out = new Set<string>();
  let principals: string | undefined;
  /** What was changed here while the store was being read: not in what it gives. */
  const putHere = new Map<string, KeyRecord>();
  const outHere = new Map<string, boolean>();

  const report = (damaged: readonly DamagedKey[]): void => {
    if (damaged.length > 0) failed('keys', damagedKeys(damaged.map(({ id }) => id)));
  };
  const takeOut = (shutOut: readonly string[]): void => {
    out = new Set(shutOut);
    for (const [principal, isOut] of outHere) isOut ? out.add(principal) : out.delete(principal);
  };
  const inSlices = async (keys: readonly KeyRecord[], take: (record: KeyRecord) => void): Promise<void> => {
    for (const [i, record] of keys.entries()) {
      take(record);
      if (i % SLICE === SLICE - 1) await new Promise((done) => setImmediate(done));
    }
  };
  const takeIn = async (keys: readonly KeyRecord[], damaged: readonly DamagedKey[]): Promise<void> => {
    await inSlices(keys, (record) => {
      if (!putHere.has(record.id)) table.put(record);
    });
    for (const key of damaged) table.putDamaged(key);
    report(damaged);
    if (table.size > most)
      throw new GlacisError('store/unusable', `keys: expected at most ${most}, got ${table.size}`);
  };
  const readChanges = async (): Promise<void> => {
    const { keys, damaged, shutOut } = await store.changed(Math.min(table.newest, now()) - BEFORE, most);
    takeOut(shutOut);
    await takeIn(keys, damaged);
  };
  const readParts = async (): Promise<void> => {
    const there = await store.parts();
    const here = table.parts();
    const others = [...new Set([...there.keys(), ...here.keys()])].filter(
      (part) => there.get(part) !== here.get(part),
    );
    const { keys, damaged, shutOut } = await store.keysIn(others, most);
    const found = new Set([...keys, ...damaged].map(({ id }) => id));
    for (const id of table.idsIn(new Set(others))) if (!found.has(id) && !putHere.has(id)) table.remove(id);
    takeOut(shutOut);
    await takeIn(keys, damaged);
  };
  const readAll = async (): Promise<void> => {
    const { keys, damaged, shutOut } = await store.load(most);
    const fresh = openKeyTable();
    await inSlices(keys, (record) => fresh.put(record, table.get(record.id)));
    for (const key of damaged) fresh.putDamaged(key);
    for (const record of putHere.values()) fresh.put(record, table.get(record.id));
    for (const [id, at] of table.takeUsed()) {
      const entry = fresh.get(id);
      if (entry) fresh.use(entry, at);
    }
    table = fresh;
    takeOut(shutOut);
    report(damaged);
  };
  return {
    get table() {
      return table;
    },
    isShutOut: (principal) => out.has(principal),
    put(record) {
      putHere.set(record.id, record);
      table.put(record);
    },
    shutOut(principal, isOut) {
      outHere.set(principal, isOut);
      if (isOut) out.add(principal);
      else out.delete(principal);
    },
    async follow() {
      for (const read of [readChanges, readParts, readAll]) {
        putHere.clear();
        outHere.clear();
        const found = await store.version();
        if (found.keys === table.version() && found.principals === principals) break;
        await (principals === undefined ? readAll : read)();
        principals = found.principals;
      }
    },
  };
}

function damagedKeys(ids: readonly string[]): GlacisError {
  const shown = ids.slice(0, 5).join(', ');
  return new GlacisError(
    'store/unusable',
    `keys: expected ${ids.length} keys that this version can read, got others; they do not work: ${shown}`,
  );
}

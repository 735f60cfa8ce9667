import type { Principal } from '../../principal.ts';
import { boundFields, type KeyRecord } from './key-record.ts';
import { type DamagedKey, partOf, versionOfKeys } from './key-store.ts';
import { countKey, type KeySums, noKeys } from './key-sums.ts';

/** A key as calls look it up. */
export interface KeyEntry {
  readonly record: KeyRecord;
  readonly hash: Buffer;
  readonly bound: string;
  readonly principal: Principal;
  /** The last addresses that it was used from. */
  readonly from: string[];
  used: number | undefined;
  /** SHA-256 of the key's text once it was found right: one that comes again need not be taken apart and hashed with all that it is good for. */
  seen?: Buffer;
}

/** All keys that are known, with what tells whether the store has others. */
export interface KeyTable {
  get(id: string): KeyEntry | undefined;
  /** Puts a key in, or another state of it; `known` is what was known of it elsewhere. */
  put(record: KeyRecord, known?: KeyEntry): void;
  /** Counts a key that cannot be read. */
  putDamaged(key: DamagedKey): void;
  /** Forgets a key that is gone. */
  remove(id: string): void;
  /** Notes that a key was used. */
  use(entry: KeyEntry, at: number): void;
  /** The keys that were used since the last time, and when. */
  takeUsed(): readonly (readonly [id: string, at: number])[];
  records(): readonly KeyRecord[];
  /** Ids of the keys of these parts, of damaged ones as well. Cost: one look at each key. */
  idsIn(parts: ReadonlySet<string>): readonly string[];
  readonly size: number;
  /** As the store tells it where it has the same keys. */
  version(): string;
  /** The same of each part that has any keys. */
  parts(): ReadonlyMap<string, string>;
  /** When the newest was made, or one was revoked; 0 without any. */
  readonly newest: number;
}

/** An empty one. */
export function openKeyTable(): KeyTable {
  const entries = new Map<string, KeyEntry>();
  const damaged = new Map<string, DamagedKey>();
  const used = new Set<KeyEntry>();
  const sums = noKeys();
  const parts = new Map<string, KeySums>();
  let newest = 0;
  const add = (key: DamagedKey): void => {
    countKey(sums, key, 1);
    const part = partOf(key.id);
    const own = parts.get(part) ?? noKeys();
    parts.set(part, own);
    countKey(own, key, 1);
    newest = Math.max(newest, key.created, key.revoked ?? 0);
  };
  /** Gives what was known of it. */
  const remove = (id: string): KeyEntry | undefined => {
    const known = entries.get(id);
    const old = known?.record ?? damaged.get(id);
    if (old === undefined) return undefined;
    countKey(sums, old, -1);
    const part = partOf(id);
    const own = parts.get(part)!;
    countKey(own, old, -1);
    if (own.count === 0) parts.delete(part);
    entries.delete(id);
    damaged.delete(id);
    if (known) used.delete(known);
    return known;
  };
  return {
    get: (id) => entries.get(id),
    put(record, known) {
      const before = remove(record.id) ?? known;
      const entry = keyEntry(record);
      if (before) {
        entry.from.push(...before.from);
        entry.used = before.used;
        if (entry.used !== undefined) used.add(entry);
      }
      entries.set(record.id, entry);
      add(record);
    },
    putDamaged(key) {
      remove(key.id);
      damaged.set(key.id, key);
      add(key);
    },
    remove: (id) => void remove(id),
    use(entry, at) {
      if (entry.used === undefined) used.add(entry);
      entry.used = at;
    },
    takeUsed() {
      const times = [...used].map(({ record, used: at }) => [record.id, at!] as const);
      for (const entry of used) entry.used = undefined;
      used.clear();
      return times;
    },
    records: () => [...entries.values()].map(({ record }) => record),
    idsIn(wanted) {
      const ids: string[] = [];
      for (const all of [entries, damaged])
        for (const id of all.keys()) if (wanted.has(partOf(id))) ids.push(id);
      return ids;
    },
    get size() {
      return entries.size;
    },
    version: () => versionOfKeys(sums),
    parts: () => new Map([...parts].map(([part, own]) => [part, versionOfKeys(own)])),
    get newest() {
      return newest;
    },
  };
}

/** A key ready to be compared with. */
export function keyEntry(record: KeyRecord): KeyEntry {
  const { id, tenant, roles, scope } = record;
  return {
    record,
    hash: Buffer.from(record.hash, 'hex'),
    bound: boundFields(record),
    principal: Object.freeze({
      id: record.principal,
      tenant,
      credential: id,
      kind: 'key',
      roles: Object.freeze([...roles]),
      scope: Object.freeze({ ...scope }),
    }),
    from: [],
    used: undefined,
  };
}

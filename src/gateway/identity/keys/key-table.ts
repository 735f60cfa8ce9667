import type { Principal } from '../../principal.ts';
import { boundFields, type KeyRecord } from './key-record.ts';
import { type DamagedKey, versionOfKeys } from './key-store.ts';

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
  /** Notes that a key was used. */
  use(entry: KeyEntry, at: number): void;
  /** The keys that were used since the last time, and when. */
  takeUsed(): readonly (readonly [id: string, at: number])[];
  records(): readonly KeyRecord[];
  readonly size: number;
  /** As the store tells it where it has the same keys. */
  version(): string;
  /** When the newest was made, or one was revoked; 0 without any. */
  readonly newest: number;
}

/** An empty one. */
export function openKeyTable(): KeyTable {
  const entries = new Map<string, KeyEntry>();
  const damaged = new Map<string, DamagedKey>();
  const used = new Set<KeyEntry>();
  let newest = 0;
  let [created, expires, revoked] = [0n, 0n, 0n];
  const add = (key: DamagedKey): void => {
    created += BigInt(key.created);
    if (key.expires !== undefined) expires += BigInt(key.expires);
    if (key.revoked !== undefined) revoked += BigInt(key.revoked);
    newest = Math.max(newest, key.created, key.revoked ?? 0);
  };
  /** Gives what was known of it. */
  const remove = (id: string): KeyEntry | undefined => {
    const known = entries.get(id);
    const old = known?.record ?? damaged.get(id);
    if (old === undefined) return undefined;
    created -= BigInt(old.created);
    if (old.expires !== undefined) expires -= BigInt(old.expires);
    if (old.revoked !== undefined) revoked -= BigInt(old.revoked);
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
    get size() {
      return entries.size;
    },
    version: () => versionOfKeys({ count: entries.size + damaged.size, created, expires, revoked }),
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

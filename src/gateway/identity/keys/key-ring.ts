import { hash as oneShot, randomBytes, timingSafeEqual } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import { idOf, keyParts } from '../../../core/key-text.ts';
import type { Principal } from '../../principal.ts';
import { Refused } from '../../refusal.ts';
import type { KeyHash } from './key-hash.ts';
import type { KeyRecord } from './key-record.ts';
import type { DamagedKey, KeyStore } from './key-store.ts';
import { type KeyEntry, keyEntry, openKeyTable } from './key-table.ts';

/** How often the store is asked for changes, and how long it may not answer. Milliseconds. */
export interface KeyRingLimits {
  readonly refresh: number;
  /** After this long without an answer of the store no key is accepted any more: it could have been revoked elsewhere. */
  readonly stale: number;
  /** Most keys. */
  readonly most: number;
}

/** What the ring needs from outside. */
export interface KeyRingSurroundings {
  readonly store: KeyStore;
  readonly hash: KeyHash;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  /** Hears that the store did not answer. */
  readonly failed: (where: string, thrown: unknown) => void;
}

/** All keys, in memory, so that one is known or refused at once. */
export interface KeyRing {
  /**
   * The principal of a key. A key id that does not exist takes the way of one that does: the same hash over as many bytes, the same comparison.
   * Errors: `Refused` `unauthenticated`, and `unavailable` where the store has not answered for too long.
   */
  identify(text: string): Principal;
  /** The principal of a key that could be used now, by its id: for who showed it before. Errors: `Refused` as {@link identify}. */
  holder(id: string): Principal;
  /** Whether a key was used from this address lately. */
  isKnownFrom(id: string, address: string): boolean;
  /** Notes that a key was used from this address. */
  cameFrom(id: string, address: string): void;
  isShutOut(principal: string): boolean;
  /** Applies a change that the store has confirmed. */
  put(record: KeyRecord): void;
  /** Makes a key useless at once and for good, whatever the store says. */
  strike(id: string): void;
  /** Shuts a principal out at once, or lets it in. */
  shutOut(principal: string, isOut: boolean): void;
  get(id: string): KeyRecord | undefined;
  all(): readonly KeyRecord[];
  /** Looks for changes in the store, and notes there what was used. */
  refresh(): Promise<void>;
  readonly size: number;
  close(): Promise<void>;
}

/** Whether this very text was found right before. Another one takes the long way, as for a key that does not exist. */
function isSeen({ seen }: KeyEntry, text: string): boolean {
  return seen !== undefined && timingSafeEqual(digestOf(text), seen);
}

function digestOf(text: string): Buffer {
  return oneShot('sha256', text, 'buffer');
}

/** Addresses that a key remembers. */
const MOST_ADDRESSES = 4;
/**
 * How long before the newest change that is known others are looked for, in milliseconds; where they do not explain what is in the store, longer before, in case another gateway's clock is
 * behind, and then everything is read.
 */
const BEFORE = [5000, 600_000] as const;
/** Keys that are put into the index before calls have their turn: some two milliseconds. */
const SLICE = 1000;

/** Loads the keys and keeps them up to date. Errors: those of the store. */
export async function openKeyRing(limits: KeyRingLimits, given: KeyRingSurroundings): Promise<KeyRing> {
  const { store, hash, now, clock, failed } = given;
  const decoy = keyEntry({ ...DECOY, hash: randomBytes(32).toString('hex') });
  const struck = new Set<string>();
  let table = openKeyTable();
  let out = new Set<string>();
  let principals: string | undefined;
  let answered = clock();
  let pending: Promise<void> | undefined;
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
  const readAll = async (): Promise<void> => {
    const { keys, damaged, shutOut } = await store.load(limits.most);
    const fresh = openKeyTable();
    for (const [i, record] of keys.entries()) {
      fresh.put(record, table.get(record.id));
      if (i % SLICE === SLICE - 1) await new Promise((done) => setImmediate(done));
    }
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
  const readChanges = async (before: number): Promise<void> => {
    const since = Math.min(table.newest, now()) - before;
    const { keys, damaged, shutOut } = await store.changed(since, limits.most);
    for (const record of keys) if (!putHere.has(record.id)) table.put(record);
    for (const key of damaged) table.putDamaged(key);
    takeOut(shutOut);
    report(damaged);
    if (table.size > limits.most)
      throw new GlacisError('store/unusable', `keys: expected at most ${limits.most}, got ${table.size}`);
  };
  const load = async (): Promise<void> => {
    for (let looks = 0; looks <= BEFORE.length; looks++) {
      putHere.clear();
      outHere.clear();
      const found = await store.version();
      if (found.keys === table.version() && found.principals === principals) break;
      const before = principals === undefined ? undefined : BEFORE[looks];
      await (before === undefined ? readAll() : readChanges(before));
      principals = found.principals;
    }
    answered = clock();
  };
  /** Now, if the key may be used now. */
  const usableAt = (record: KeyRecord): number => {
    const at = now();
    if (record.revoked !== undefined || struck.has(record.id))
      throw new Refused('unauthenticated', `key ${record.id}: revoked`);
    if (record.expires !== undefined && at >= record.expires)
      throw new Refused('unauthenticated', `key ${record.id}: expired`);
    if (record.notBefore !== undefined && at < record.notBefore)
      throw new Refused('unauthenticated', `key ${record.id}: not valid yet`);
    if (clock() - answered > limits.stale)
      throw new Refused('unavailable', 'keys: the store has not answered for too long');
    return at;
  };
  const noteUse = async (): Promise<void> => {
    const times = table.takeUsed();
    if (times.length > 0) await store.used(times);
  };
  const refresh = (): Promise<void> => {
    pending ??= load()
      .then(noteUse)
      .catch((thrown: unknown) => failed('keys', thrown))
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };

  await load();
  const timer = setInterval(refresh, limits.refresh);
  timer.unref();
  return {
    identify(text) {
      const known = table.get(idOf(text));
      if (known !== undefined && isSeen(known, text)) {
        table.use(known, usableAt(known.record));
        return known.principal;
      }
      const parts = keyParts(text);
      if (!parts) throw new Refused('unauthenticated', 'key: not the form of one');
      const entry = table.get(parts.id) ?? decoy;
      const isRight = timingSafeEqual(hash(parts.secret, entry.bound), entry.hash);
      const { record, principal } = entry;
      if (!isRight || entry === decoy)
        throw new Refused(
          'unauthenticated',
          `key ${parts.id}: ${entry === decoy ? 'unknown' : 'wrong secret'}`,
        );
      table.use(entry, usableAt(record));
      entry.seen ??= digestOf(text);
      return principal;
    },
    holder(id) {
      const entry = table.get(id);
      if (entry === undefined) throw new Refused('unauthenticated', 'key: unknown');
      usableAt(entry.record);
      return entry.principal;
    },
    isKnownFrom: (id, address) => table.get(id)?.from.includes(address) ?? false,
    cameFrom(id, address) {
      const from = table.get(id)?.from;
      if (from !== undefined && from.push(address) > MOST_ADDRESSES) from.shift();
    },
    isShutOut: (principal) => out.has(principal),
    put(record) {
      putHere.set(record.id, record);
      table.put(record);
    },
    strike: (id) => void struck.add(id),
    shutOut(principal, isOut) {
      outHere.set(principal, isOut);
      if (isOut) out.add(principal);
      else out.delete(principal);
    },
    get: (id) => table.get(id)?.record,
    all: () => table.records(),
    refresh,
    get size() {
      return table.size;
    },
    async close() {
      clearInterval(timer);
      await pending;
      await noteUse().catch((thrown: unknown) => failed('keys', thrown));
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

/** What a key that does not exist is compared with. */
const DECOY: Omit<KeyRecord, 'hash'> = {
  id: '00000000000',
  principal: 'nobody',
  tenant: 'default',
  roles: [],
  scope: { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'label' },
  created: 1_700_000_000_000,
  createdBy: 'nobody',
};

import { hash as oneShot, randomBytes, timingSafeEqual } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import { keyParts } from '../../../core/key-text.ts';
import type { Principal } from '../../principal.ts';
import { Refused } from '../../refusal.ts';
import type { KeyHash } from './key-hash.ts';
import { boundFields, type KeyRecord } from './key-record.ts';
import type { KeySnapshot, KeyStore } from './key-store.ts';

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

interface Entry {
  readonly record: KeyRecord;
  readonly hash: Buffer;
  readonly bound: string;
  readonly principal: Principal;
  /** The last addresses that it was used from. */
  readonly from: string[];
  used: number | undefined;
  /** SHA-256 of the secret once it was found right: a key that comes again need not be hashed with all that it is good for. */
  seen?: Buffer;
}

/** Whether this secret was found right before. A wrong one takes the long way afterwards, as for a key that does not exist. */
function isSeen({ seen }: Entry, secret: string): boolean {
  return seen !== undefined && timingSafeEqual(digestOf(secret), seen);
}

function digestOf(secret: string): Buffer {
  return oneShot('sha256', secret, 'buffer');
}

/** Addresses that a key remembers. */
const MOST_ADDRESSES = 4;

/** Loads the keys and keeps them up to date. Errors: those of the store. */
export async function openKeyRing(limits: KeyRingLimits, given: KeyRingSurroundings): Promise<KeyRing> {
  const { store, hash, now, clock, failed } = given;
  const decoy = entryOf({ ...DECOY, hash: randomBytes(32).toString('hex') });
  const struck = new Set<string>();
  let entries = new Map<string, Entry>();
  let out = new Set<string>();
  let version = '';
  let changes = 0;
  let answered = clock();
  let pending: Promise<void> | undefined;

  const take = ({ keys, damaged, shutOut }: KeySnapshot): void => {
    if (damaged.length > 0) failed('keys', damagedKeys(damaged));
    const before = entries;
    entries = new Map();
    for (const record of keys) {
      const known = before.get(record.id);
      const entry = entryOf(record);
      if (known) entry.from.push(...known.from);
      entry.used = known?.used;
      entries.set(record.id, entry);
    }
    out = new Set(shutOut);
  };
  const load = async (): Promise<void> => {
    // A change that is made here while the store is read is not in what it gives.
    for (let tries = 0; tries < 5; tries++) {
      const started = changes;
      const found = await store.version();
      if (found === version) break;
      const snapshot = await store.load(limits.most);
      if (changes !== started) continue;
      take(snapshot);
      version = found;
      break;
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
    const used = [...entries.values()].filter((entry) => entry.used !== undefined);
    if (used.length === 0) return;
    const times = used.map((entry) => [entry.record.id, entry.used!] as const);
    for (const entry of used) entry.used = undefined;
    await store.used(times);
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
      const parts = keyParts(text);
      if (!parts) throw new Refused('unauthenticated', 'key: not the form of one');
      const entry = entries.get(parts.id) ?? decoy;
      const isRight =
        isSeen(entry, parts.secret) || timingSafeEqual(hash(parts.secret, entry.bound), entry.hash);
      const { record, principal } = entry;
      if (!isRight || entry === decoy)
        throw new Refused(
          'unauthenticated',
          `key ${parts.id}: ${entry === decoy ? 'unknown' : 'wrong secret'}`,
        );
      entry.used = usableAt(record);
      entry.seen ??= digestOf(parts.secret);
      return principal;
    },
    holder(id) {
      const entry = entries.get(id);
      if (entry === undefined) throw new Refused('unauthenticated', 'key: unknown');
      usableAt(entry.record);
      return entry.principal;
    },
    isKnownFrom: (id, address) => entries.get(id)?.from.includes(address) ?? false,
    cameFrom(id, address) {
      const from = entries.get(id)?.from;
      if (from !== undefined && from.push(address) > MOST_ADDRESSES) from.shift();
    },
    isShutOut: (principal) => out.has(principal),
    put(record) {
      changes++;
      const entry = entryOf(record);
      entry.from.push(...(entries.get(record.id)?.from ?? []));
      entries.set(record.id, entry);
    },
    strike(id) {
      changes++;
      struck.add(id);
    },
    shutOut(principal, isOut) {
      changes++;
      if (isOut) out.add(principal);
      else out.delete(principal);
    },
    get: (id) => entries.get(id)?.record,
    all: () => [...entries.values()].map(({ record }) => record),
    refresh,
    get size() {
      return entries.size;
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

function entryOf(record: KeyRecord): Entry {
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

import { hash as oneShot, randomBytes, timingSafeEqual } from 'node:crypto';
import { idOf, keyParts } from '../../../core/key-text.ts';
import type { Principal } from '../../principal.ts';
import { Refused } from '../../refusal.ts';
import { openKeyCopy } from './key-copy.ts';
import type { KeyHash } from './key-hash.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';
import { type KeyEntry, keyEntry } from './key-table.ts';

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

/** Loads the keys and keeps them up to date. Errors: those of the store. */
export async function openKeyRing(limits: KeyRingLimits, given: KeyRingSurroundings): Promise<KeyRing> {
  const { store, hash, now, clock, failed } = given;
  const decoy = keyEntry({ ...DECOY, hash: randomBytes(32).toString('hex') });
  const struck = new Set<string>();
  const copy = openKeyCopy({ store, most: limits.most, now, failed });
  let answered = clock();
  let pending: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    await copy.follow();
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
    const times = copy.table.takeUsed();
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
      const known = copy.table.get(idOf(text));
      if (known !== undefined && isSeen(known, text)) {
        copy.table.use(known, usableAt(known.record));
        return known.principal;
      }
      const parts = keyParts(text);
      if (!parts) throw new Refused('unauthenticated', 'key: not the form of one');
      const entry = copy.table.get(parts.id) ?? decoy;
      const isRight = timingSafeEqual(hash(parts.secret, entry.bound), entry.hash);
      const { record, principal } = entry;
      if (!isRight || entry === decoy)
        throw new Refused(
          'unauthenticated',
          `key ${parts.id}: ${entry === decoy ? 'unknown' : 'wrong secret'}`,
        );
      copy.table.use(entry, usableAt(record));
      entry.seen ??= digestOf(text);
      return principal;
    },
    holder(id) {
      const entry = copy.table.get(id);
      if (entry === undefined) throw new Refused('unauthenticated', 'key: unknown');
      usableAt(entry.record);
      return entry.principal;
    },
    isKnownFrom: (id, address) => copy.table.get(id)?.from.includes(address) ?? false,
    cameFrom(id, address) {
      const from = copy.table.get(id)?.from;
      if (from !== undefined && from.push(address) > MOST_ADDRESSES) from.shift();
    },
    isShutOut: copy.isShutOut,
    put: copy.put,
    strike: (id) => void struck.add(id),
    shutOut: copy.shutOut,
    get: (id) => copy.table.get(id)?.record,
    all: () => copy.table.records(),
    refresh,
    get size() {
      return copy.table.size;
    },
    async close() {
      clearInterval(timer);
      await pending;
      await noteUse().catch((thrown: unknown) => failed('keys', thrown));
    },
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

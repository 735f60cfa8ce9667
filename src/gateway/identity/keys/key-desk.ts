import { randomBytes } from 'node:crypto';
import { GlacisError } from '../../../core/error.ts';
import { base62, KEY_PARTS, keyText } from '../../../core/key-text.ts';
import { looksLikePseudonym, PSEUDONYM_MARK } from '../../pseudonym-mark.ts';
import type { Scope } from '../../scope.ts';
import type { KeyHash } from './key-hash.ts';
import { boundFields, type KeyRecord } from './key-record.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyStore } from './key-store.ts';

/** Who asks for a change of keys. */
export interface KeyActor {
  readonly id: string;
  /** The key that the actor presented, which it may always rotate itself. */
  readonly credential?: string | undefined;
  /** Whether the actor may give roles: without, nobody makes a key that may do more on the management side. */
  readonly mayGrant: boolean;
}

/** What a new key is wanted for. */
export interface KeyWish {
  /** Budgets and the log count by it; keys of one principal share a budget. */
  readonly principal: string;
  readonly tenant: string;
  readonly name?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly scope: Scope;
  /** Milliseconds; the desk's own without. `Infinity`: until it is revoked. */
  readonly lifetime?: number | undefined;
}

/** A new key. */
export interface IssuedKey {
  /** The key itself: shown once, kept nowhere. */
  readonly text: string;
  readonly record: KeyRecord;
}

/** Makes, changes and ends keys. Every act is confirmed by the store before it counts as done; ending one takes effect before that. */
export interface KeyDesk {
  /** Errors: `option/invalid` for a wish that cannot be met or is not the actor's to make; `store/unavailable`. */
  create(wish: KeyWish, by: KeyActor): Promise<IssuedKey>;
  /** A new key with the same principal, roles and scope; the old one ends after `overlap` milliseconds, never later than it would have. Errors as {@link create}. */
  rotate(id: string, by: KeyActor, options?: { readonly overlap?: number | undefined }): Promise<IssuedKey>;
  /** Ends a key at once. Errors: `option/invalid` for a key that does not exist. */
  revoke(id: string, by: KeyActor, because?: string): Promise<void>;
  /** Shuts a principal out, or lets it in again, whatever it presents: a key, a token or a certificate. */
  shutOut(principal: string, tenant: string, isOut: boolean, by: KeyActor, because?: string): Promise<void>;
  list(): readonly KeyRecord[];
  find(id: string): KeyRecord | undefined;
}

/** What the desk needs. */
export interface KeyDeskSurroundings {
  readonly ring: KeyRing;
  readonly store: KeyStore;
  readonly hash: KeyHash;
  readonly now: () => number;
  readonly defaults: { readonly lifetime: number; readonly overlap: number; readonly most: number };
}

const NAME = /^[^\p{Cc}\p{Cf}\s][^\p{Cc}\p{Cf}]{0,127}$/u;
const MOST_ROLES = 32;
const MOST_MODELS = 200;

/** Opens it. */
export function openKeyDesk({ ring, store, hash, now, defaults }: KeyDeskSurroundings): KeyDesk {
  const make = (given: Omit<KeyRecord, 'id' | 'hash'>): IssuedKey => {
    if (ring.size >= defaults.most)
      throw new GlacisError('option/invalid', `keys: expected at most ${defaults.most}, got one more`);
    let id: string;
    do id = base62(randomBytes(8), KEY_PARTS.id);
    while (ring.get(id) !== undefined);
    const secret = base62(randomBytes(32), KEY_PARTS.secret);
    const bound = boundFields({ ...given, id });
    return {
      text: keyText(id, secret),
      record: { ...given, id, hash: hash(secret, bound).toString('hex') },
    };
  };
  const known = (id: string): KeyRecord => {
    const record = ring.get(id);
    if (record) return record;
    throw new GlacisError('option/invalid', `key: expected the id of a key, got '${id.slice(0, 40)}'`);
  };
  return {
    async create({ principal, tenant, name, roles = [], scope, lifetime = defaults.lifetime }, by) {
      checkNames({ principal, tenant, ...(name !== undefined && { name }) });
      for (const [field, called] of Object.entries({ principal, tenant }))
        if (looksLikePseudonym(called))
          throw new GlacisError(
            'option/invalid',
            `${field}: expected a name that does not begin with '${PSEUDONYM_MARK}', as pseudonyms do`,
          );
      checkScope(scope);
      if (roles.length > MOST_ROLES || !roles.every((role) => NAME.test(role)))
        throw new GlacisError('option/invalid', `roles: expected at most ${MOST_ROLES} names`);
      if (roles.length > 0 && !by.mayGrant)
        throw new GlacisError('option/invalid', 'roles: expected none, because you may not give roles');
      if (!(lifetime > 0))
        throw new GlacisError('option/invalid', `lifetime: expected a length of time, got ${lifetime}`);
      const at = now();
      const issued = make({
        name,
        principal,
        tenant,
        roles,
        scope: { ...scope, models: [...scope.models], operations: [...scope.operations] },
        created: at,
        createdBy: by.id,
        expires: Number.isFinite(lifetime) ? at + lifetime : undefined,
      });
      await store.add(issued.record);
      ring.put(issued.record);
      return issued;
    },
    async rotate(id, by, { overlap = defaults.overlap } = {}) {
      const old = known(id);
      if (old.roles.length > 0 && !by.mayGrant && by.credential !== id)
        throw new GlacisError(
          'option/invalid',
          'key: expected one without roles, because you may not give roles',
        );
      if (old.revoked !== undefined || old.replacedBy !== undefined || (old.expires ?? Infinity) <= now())
        throw new GlacisError(
          'option/invalid',
          `key ${id}: expected one in use, got one that has ended or was replaced`,
        );
      if (!(overlap >= 0 && Number.isFinite(overlap)))
        throw new GlacisError('option/invalid', `overlap: expected a length of time, got ${overlap}`);
      const at = now();
      const { name, principal, tenant, roles, scope, created, expires } = old;
      const issued = make({
        name,
        principal,
        tenant,
        roles,
        scope,
        created: at,
        createdBy: by.id,
        expires: expires === undefined ? undefined : at + (expires - created),
      });
      const ends = Math.min(expires ?? Number.POSITIVE_INFINITY, at + overlap);
      await store.replace(id, ends, issued.record);
      ring.put(issued.record);
      ring.put({ ...known(id), expires: ends, replacedBy: issued.record.id });
      return issued;
    },
    async revoke(id, by, because) {
      known(id);
      ring.strike(id);
      const at = now();
      await store.revoke(id, { at, by: by.id, because });
      ring.put({ ...known(id), revoked: at, revokedBy: by.id, revokedBecause: because });
    },
    async shutOut(principal, tenant, isOut, by, because) {
      checkNames({ principal, tenant });
      if (isOut) ring.shutOut(principal, true);
      await store.shutOut(principal, tenant, isOut, { at: now(), by: by.id, because });
      ring.shutOut(principal, isOut);
    },
    list: () => ring.all(),
    find: (id) => ring.get(id),
  };
}

function checkNames(names: Readonly<Record<string, string>>): void {
  for (const [field, name] of Object.entries(names))
    if (!NAME.test(name))
      throw new GlacisError(
        'option/invalid',
        `${field}: expected a name of at most 128 characters on one line, got ${name === '' ? 'nothing' : 'another text'}`,
      );
}

function checkScope({ models, operations }: Scope): void {
  if (models.length > MOST_MODELS || !models.every((model) => NAME.test(model)))
    throw new GlacisError('option/invalid', `scope: expected at most ${MOST_MODELS} names of models`);
  if (new Set(operations).size !== operations.length)
    throw new GlacisError('option/invalid', 'scope: expected each operation once');
}

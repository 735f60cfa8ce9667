import type { Scope } from '../../scope.ts';

/** A key as it is kept: everything except its secret. */
export interface KeyRecord {
  readonly id: string;
  /** Keyed hash of the secret and of {@link boundFields}, hexadecimal. */
  readonly hash: string;
  /** What a person calls it. */
  readonly name?: string | undefined;
  readonly principal: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  readonly scope: Scope;
  /** Times are milliseconds since 1970. */
  readonly created: number;
  readonly createdBy: string;
  readonly notBefore?: number | undefined;
  /** Undefined: until it is revoked. */
  readonly expires?: number | undefined;
  readonly lastUsed?: number | undefined;
  readonly revoked?: number | undefined;
  readonly revokedBy?: string | undefined;
  readonly revokedBecause?: string | undefined;
  /** The key that took its place. */
  readonly replacedBy?: string | undefined;
}

/** The fields that say what a key is good for, as one text: they are part of what is hashed, so that nobody who can only write to the database gives a key more. */
export function boundFields({
  id,
  principal,
  tenant,
  roles,
  scope,
  created,
  notBefore,
}: Omit<KeyRecord, 'hash'>): string {
  const { models, operations, detail } = scope;
  return JSON.stringify([
    id,
    principal,
    tenant,
    roles,
    models,
    operations,
    detail,
    created,
    notBefore ?? null,
  ]);
}

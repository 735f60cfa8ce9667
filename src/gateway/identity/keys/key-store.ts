import type { KeyRecord } from './key-record.ts';

/** A key that this version cannot read: it does not work. */
export type DamagedKey = Pick<KeyRecord, 'id' | 'created' | 'expires' | 'revoked'>;

/** What a key index is made of, or what changed of it. */
export interface KeySnapshot {
  readonly keys: readonly KeyRecord[];
  readonly damaged: readonly DamagedKey[];
  /** All principals that are shut out, whatever they present. */
  readonly shutOut: readonly string[];
}

/** Texts that are others after any change. */
export interface KeyVersion {
  /** {@link versionOfKeys} of all keys, damaged ones as well. */
  readonly keys: string;
  readonly principals: string;
}

/** Who did something, and why. */
export interface KeyAct {
  readonly at: number;
  readonly by: string;
  readonly because?: string | undefined;
}

/** Characters of an id that tell to which part its key belongs: letters and digits make 3,844 parts. */
export const PART = 2;

/** The part of a key, by its id. */
export function partOf(id: string): string {
  return id.slice(0, PART);
}

/** Where keys are kept. What a promise has confirmed outlives the process. Errors: `store/unavailable`. */
export interface KeyStore {
  /** All keys. Errors: `store/unusable` where there are more than `most`. */
  load(most: number): Promise<KeySnapshot>;
  /**
   * Keys that were made, revoked or replaced at `since` or later. Who was written down late by another clock, or deleted, is not among them: what they and those known before amount to is
   * compared with the version. Errors: as {@link load}.
   */
  changed(since: number, most: number): Promise<KeySnapshot>;
  /** `versionOfKeys` of each part that has any keys: where keys are gone, these tell in which. Errors: `store/unavailable`. */
  parts(): Promise<ReadonlyMap<string, string>>;
  /** All keys of these parts. Errors: as {@link load}. */
  keysIn(parts: readonly string[], most: number): Promise<KeySnapshot>;
  /** Cheap to ask for. */
  version(): Promise<KeyVersion>;
  /** Adds a key, and its principal where it is new. Errors: `option/invalid` where the principal belongs to another tenant; `store/conflict`. */
  add(record: KeyRecord): Promise<void>;
  /** Adds a key in place of another that ends at `expires`; both or neither. */
  replace(old: string, expires: number, record: KeyRecord): Promise<void>;
  /** Whether there was such a key that was not revoked before. */
  revoke(id: string, act: KeyAct): Promise<boolean>;
  /** Notes when keys were used last. */
  used(times: readonly (readonly [id: string, at: number])[]): Promise<void>;
  /** Shuts a principal out, or lets it in again; it is added where it is new. */
  shutOut(principal: string, tenant: string, isOut: boolean, act: KeyAct): Promise<void>;
}

/** A text from sums over all keys: of times, 0 where one has none. Sums are beyond what a double holds. */
export function versionOfKeys(sums: {
  readonly count: number | bigint | string;
  readonly created: bigint | string;
  readonly expires: bigint | string;
  readonly revoked: bigint | string;
}): string {
  return `${sums.count} ${sums.created} ${sums.expires} ${sums.revoked}`;
}

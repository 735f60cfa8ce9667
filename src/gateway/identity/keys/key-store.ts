import type { KeyRecord } from './key-record.ts';

/** Everything that a key index is made of. */
export interface KeySnapshot {
  readonly keys: readonly KeyRecord[];
  /** Ids of keys that are there and cannot be read: they do not work. */
  readonly damaged: readonly string[];
  /** Principals that are shut out, whatever they present. */
  readonly shutOut: readonly string[];
}

/** Who did something, and why. */
export interface KeyAct {
  readonly at: number;
  readonly by: string;
  readonly because?: string | undefined;
}

/** Where keys are kept. What a promise has confirmed outlives the process. Errors: `store/unavailable`. */
export interface KeyStore {
  /** All keys. Errors: `store/unusable` where there are more than `most`. */
  load(most: number): Promise<KeySnapshot>;
  /** A text that is another one after any change: cheap to ask for. */
  version(): Promise<string>;
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

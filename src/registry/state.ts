import type { EvidenceRef, Party, RegistryEvent, Roles } from './event.ts';

/** A version of a model. */
export interface VersionState {
  readonly model: string;
  readonly version: string;
  /** The model's root digest. */
  readonly digest: string;
  readonly manifest: string;
  readonly manifestSize: number;
  /** Bytes of all files. */
  readonly size: number;
  readonly files: number;
  readonly evidence: readonly EvidenceRef[];
  /** Index of its entry: the order in which versions came. */
  readonly index: number;
  readonly at: string;
  readonly by: readonly string[];
}

/** A change of an alias that took effect. */
export interface AliasChange {
  readonly kind: 'promotion' | 'rollback';
  readonly version: string;
  readonly digest: string;
  readonly evidence: readonly EvidenceRef[];
  readonly by: readonly string[];
  readonly at: string;
  /** Index of the entry with which it took effect. */
  readonly index: number;
  readonly reason?: string | undefined;
}

/** An alias and how it came to be what it is. */
export interface AliasState {
  readonly sequence: number;
  /** The newest version that it ever had: a plain promotion does not go behind it. */
  readonly floor: number;
  readonly history: readonly AliasChange[];
}

/** A change that waits for more signatures. */
export interface Pending {
  readonly event: RegistryEvent;
  readonly payload: Uint8Array;
  readonly approvals: readonly string[];
  readonly needed: number;
  readonly index: number;
}

/** A model that must not be used any more. */
export interface Revocation {
  readonly digest: string;
  readonly reason: string;
  readonly by: readonly string[];
  readonly at: string;
}

/** Nothing is promoted, and why. */
export interface Frozen {
  readonly reason: string;
  readonly by: readonly string[];
  readonly at: string;
}

/** Everything that the log says, as it stands. */
export interface RegistryState {
  readonly origin: string;
  /** Digest of the first entry's event: what every other event names. */
  readonly genesis: string;
  /** Seconds; 0 for never. */
  readonly freshness: number;
  /** Where blobs are; empty for beside the log. */
  readonly blobs: string;
  /** Whether every version must be encrypted. */
  readonly encrypted: boolean;
  readonly logKeys: readonly string[];
  readonly roles: Roles;
  readonly rolesSequence: number;
  /** Set while nothing may be promoted. */
  readonly frozen?: Frozen | undefined;
  /** Counts freezes and thaws. */
  readonly freezeSequence: number;
  readonly versions: ReadonlyMap<string, VersionState>;
  readonly aliases: ReadonlyMap<string, AliasState>;
  /** By model and digest. */
  readonly revoked: ReadonlyMap<string, Revocation>;
  /** By the digest of the event. */
  readonly pending: ReadonlyMap<string, Pending>;
  /** Entries that have no effect, and why: none in a log that only Glacis wrote. */
  readonly problems: readonly { readonly index: number; readonly problem: string }[];
  readonly entries: number;
}

/** The key under which a model's versions, aliases and revocations are kept. */
export function keyOf(model: string, name: string): string {
  return `${model}\n${name}`;
}

/** Why a version may not be used; `undefined` when it may. */
export function revocationOf(state: RegistryState, model: string, digest: string): Revocation | undefined {
  return state.revoked.get(keyOf(model, digest));
}

/** What an alias points to now, if anything. */
export function currentOf(state: RegistryState, model: string, alias: string): AliasChange | undefined {
  return state.aliases.get(keyOf(model, alias))?.history.at(-1);
}

/** The party that has all of these keys, by their public texts; `undefined` when there is none. */
export function partyWith(parties: readonly Party[], keys: readonly string[]): Party | undefined {
  return parties.find((party) => party.keys.every((key) => keys.includes(key)));
}

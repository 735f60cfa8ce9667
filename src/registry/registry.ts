import { type KeyObject, randomBytes } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import { type Checkpoint, openCheckpoint } from '../ledger/checkpoint.ts';
import { CHECKPOINT_PATH, type LogReader, readLog } from '../ledger/log-reader.ts';
import { MOST_NOTE_BYTES } from '../ledger/note.ts';
import { formatVerifierKey } from '../ledger/note-key.ts';
import { digestOf, signEnvelope } from './envelope.ts';
import { formatEvent, type RegistryEvent, type Roles } from './event.ts';
import type { LogKeeper } from './event-log.ts';
import type { Memory } from './memory.ts';
import { publicKeyText } from './party-key.ts';
import type { Place } from './place.ts';
import { beginState, nextState } from './replay.ts';
import { partyWith, type RegistryState } from './state.ts';
import { logTrustOf, type Trust } from './trust.ts';

/** How far a clock may be ahead of this one, in seconds. */
const SKEW = 300;
/** How often an append is tried when others are faster. */
const MOST_TRIES = 20;

/** What opening a registry needs. */
export interface RegistryAccess {
  readonly place: Place;
  readonly memory: Memory;
  /** Whom to trust, where this machine does not remember it. */
  readonly trust?: Trust | undefined;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
}

/** A registry as its log has it at one moment: verified, and not older than what this machine has seen. */
export interface Registry extends RegistryAccess {
  readonly trust: Trust;
  readonly state: RegistryState;
  readonly checkpoint: Checkpoint;
  readonly log: LogReader;
}

/** What starts a registry. */
export interface NewRegistry {
  readonly keeper: LogKeeper;
  readonly roles: Roles;
  /** Seconds. */
  readonly freshness: number;
  /** Where blobs are when they are not in the registry's own place. */
  readonly blobs?: string | undefined;
  /** Whether versions must be encrypted. */
  readonly encrypted?: boolean | undefined;
  /** Keys of at least one approver. */
  readonly keys: readonly KeyObject[];
}

/** Starts a registry, and remembers it on this machine. Errors: `ledger/exists`, `registry/invalid`, `registry/refused`. */
export async function initRegistry(
  access: Omit<RegistryAccess, 'trust'>,
  start: NewRegistry,
): Promise<Trust> {
  const { keeper, roles, freshness, keys, blobs, encrypted } = start;
  const logKeys = keeper.signers.map(formatVerifierKey);
  const payload = formatEvent({
    schema: 'glacis.registry.event/1',
    kind: 'genesis',
    at: access.now().toISOString(),
    origin: keeper.origin,
    nonce: randomBytes(16).toString('hex'),
    logKeys,
    freshness,
    blobs: blobs ?? '',
    encrypted: encrypted ?? false,
    roles,
  });
  const entry = signEnvelope(payload, keys);
  beginState(entry);
  const { note } = await access.place.log.create(entry, keeper, access.signal);
  const trust: Trust = {
    schema: 'glacis.registry.trust/1',
    origin: keeper.origin,
    keys: logKeys,
    genesis: digestOf(payload),
  };
  await access.memory.rememberTrust(trust);
  await access.memory.rememberCheckpoint(note);
  return trust;
}

/**
 * Opens a registry: verifies its newest checkpoint, that it goes on from what this machine has seen, and every event since the beginning.
 * How fresh the state must be is for {@link requireFresh}.
 * Errors: `registry/untrusted` when nothing says whom to trust, or another registry is there; `ledger/…`; `registry/invalid`.
 */
export async function openRegistry(access: RegistryAccess): Promise<Registry> {
  const { place, memory } = access;
  const remembered = await memory.trust();
  const trust = access.trust ?? remembered;
  if (trust === undefined)
    throw new GlacisError(
      'registry/untrusted',
      `${place.where}: expected --trust FILE at the first use on this machine (glacis registry init wrote one); nothing says whom to believe`,
    );
  if (remembered !== undefined && remembered.genesis !== trust.genesis)
    throw new GlacisError(
      'registry/untrusted',
      `${place.where}: expected the registry that this machine remembers (${remembered.genesis}), got a trust file of another; remove ${memory.folder} if that is right`,
    );
  const logTrust = logTrustOf(trust);
  const bytes = await place.log.source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  if (bytes === undefined)
    throw new GlacisError('ledger/unreadable', `${place.where}: expected a registry, but there is no log`);
  const checkpoint = openCheckpoint(bytes, logTrust, `checkpoint of ${place.where}`);
  const log = readLog(place.log.source, checkpoint);
  const seen = await memory.checkpoint();
  // Signed by the keys of then; it was verified before it was remembered.
  if (seen !== undefined) await log.extend(openCheckpoint(seen, logTrust, `${memory.folder}/checkpoint`));
  let state: RegistryState | undefined;
  for await (const entry of log.entries(0, access.signal))
    state = state === undefined ? beginState(entry, trust.genesis) : nextState(state, entry);
  if (state === undefined)
    throw new GlacisError('registry/invalid', `${place.where}: expected a log with events, got an empty one`);
  if (state.origin !== trust.origin || state.logKeys.join() !== trust.keys.join())
    throw new GlacisError(
      'registry/untrusted',
      `${place.where}: expected the first event to name the log and the keys that are trusted`,
    );
  await memory.rememberTrust(trust);
  await memory.rememberCheckpoint(checkpoint.note);
  return { ...access, trust, state, checkpoint, log };
}

/**
 * Refuses a state that was signed too long ago, or in the future. Errors: `registry/stale`.
 * Sound because the time is signed with the state, by every key of the log that signs the time.
 */
export function requireFresh({ state, checkpoint, now, place }: Registry): void {
  if (state.freshness === 0) return;
  const age = Math.floor(now().getTime() / 1000) - (checkpoint.at ?? 0);
  if (age > state.freshness)
    throw new GlacisError(
      'registry/stale',
      `${place.where}: expected a state signed in the last ${duration(state.freshness)}, got one from ${duration(age)} ago; run glacis registry refresh where the log's key is`,
    );
  if (age < -SKEW)
    throw new GlacisError(
      'registry/stale',
      `${place.where}: expected a state from the past, got one from ${duration(-age)} ahead; is this clock right?`,
    );
}

/** What came of an event. */
export interface Committed {
  readonly registry: Registry;
  /** Digest of the event: under it the event waits while signatures are missing. */
  readonly id: string;
}

/**
 * Signs an event and adds it to the log, if it is allowed. `propose` is asked again when somebody else was faster, with what the log says
 * then; it may give the bytes of an event that waits for approval, to add a signature to it.
 * Errors: `registry/refused` when the event would have no effect; `registry/invalid`, `ledger/…`, `output/unwritable`.
 */
export async function commit(
  registry: Registry,
  keeper: LogKeeper,
  keys: readonly KeyObject[],
  propose: (state: RegistryState) => RegistryEvent | Uint8Array,
): Promise<Committed> {
  let current = registry;
  requireParty(current.state, keys);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { state } = current;
    const proposed = propose(state);
    const payload = proposed instanceof Uint8Array ? proposed : formatEvent(proposed);
    const entry = signEnvelope(payload, keys);
    // The rules are applied before anything is written: what they refuse never enters the log.
    const after = nextState(state, entry);
    const problem = after.problems[state.problems.length];
    if (problem) throw new GlacisError('registry/refused', problem.problem);
    const checkpoint = await registry.place.log.tryAppend(state.entries, entry, keeper, registry.signal);
    if (checkpoint) {
      await registry.memory.rememberCheckpoint(checkpoint.note);
      const log = readLog(registry.place.log.source, checkpoint);
      return { registry: { ...current, state: after, checkpoint, log }, id: digestOf(payload) };
    }
    current = await openRegistry(registry);
  }
  throw new GlacisError(
    'ledger/locked',
    `${registry.place.where}: expected to get a turn in ${MOST_TRIES} tries; others write all the time`,
  );
}

/** The beginning that every event but the first has. */
export function eventHead({ state, now }: Registry) {
  return {
    schema: 'glacis.registry.event/1',
    at: now().toISOString(),
    registry: state.genesis,
  } as const;
}

/** Refuses keys that are not all the keys of one approver or publisher. */
function requireParty(state: RegistryState, keys: readonly KeyObject[]): void {
  const { approvers, publishers } = state.roles;
  const texts = keys.map(publicKeyText);
  const party = partyWith([...approvers, ...publishers], texts);
  if (party) return;
  const partial = [...approvers, ...publishers].find(({ keys: own }) =>
    own.some((key) => texts.includes(key)),
  );
  throw new GlacisError(
    'registry/refused',
    partial
      ? `${partial.name}: expected a signature with each of ${partial.keys.length} keys; give them all with --key`
      : 'expected the key of an approver or publisher of this registry, got another',
  );
}

/** A time span in the largest unit that fits. */
function duration(seconds: number): string {
  const [size, unit] =
    seconds >= 172_800 ? [86_400, 'days'] : seconds >= 7200 ? [3600, 'hours'] : [1, 'seconds'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

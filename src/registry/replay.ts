import { GlacisError } from '../core/error.ts';
import { digestOf, parseEnvelope, type SignedEvent, signersOf } from './envelope.ts';
import { type EventOf, parseEvent, type RegistryEvent } from './event.ts';
import { type AliasChange, keyOf, type RegistryState, revocationOf, type VersionState } from './state.ts';

/**
 * The state after the first entry. Errors: `registry/invalid` for an entry that is no signed genesis event; `registry/untrusted`
 * when it is not the one that is expected.
 */
export function beginState(entry: Uint8Array, expected?: string): RegistryState {
  const signed = parseEnvelope(entry, 'entry 0');
  const event = parseEvent(signed.payload, 'entry 0');
  if (event.kind !== 'genesis')
    throw new GlacisError(
      'registry/invalid',
      `entry 0: expected the event that starts a registry, got ${event.kind}`,
    );
  const genesis = digestOf(signed.payload);
  if (expected !== undefined && genesis !== expected)
    throw new GlacisError(
      'registry/untrusted',
      `registry ${event.origin}: expected the one that begins with ${expected}, got ${genesis}`,
    );
  const approved = signersOf(signed, event.roles.approvers);
  if (approved.length === 0)
    throw new GlacisError('registry/invalid', 'entry 0: expected the signature of an approver, got none');
  return {
    origin: event.origin,
    genesis,
    freshness: event.freshness,
    blobs: event.blobs,
    encrypted: event.encrypted,
    logKeys: event.logKeys,
    roles: event.roles,
    rolesSequence: 0,
    freezeSequence: 0,
    versions: new Map(),
    aliases: new Map(),
    revoked: new Map(),
    pending: new Map(),
    problems: [],
    entries: 1,
  };
}

/**
 * The state after one more entry. An entry that is not allowed changes nothing and is kept as a problem: whoever has the log's
 * key can add entries, but not make them count.
 */
export function nextState(state: RegistryState, entry: Uint8Array): RegistryState {
  const index = state.entries;
  const counted = { ...state, entries: index + 1 };
  try {
    const signed = parseEnvelope(entry, `entry ${index}`);
    const event = parseEvent(signed.payload, `entry ${index}`);
    return apply(counted, signed, event, index);
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    return { ...counted, problems: [...state.problems, { index, problem: thrown.message }] };
  }
}

function apply(
  state: RegistryState,
  signed: SignedEvent,
  event: RegistryEvent,
  index: number,
): RegistryState {
  if (event.kind === 'genesis') throw refuse('expected no second beginning');
  if (event.registry !== state.genesis)
    throw refuse('expected an event of this registry, got one of another');
  if (event.kind === 'version') return addVersion(state, signed, event, index);
  return approve(state, signed, event, index);
}

function addVersion(
  state: RegistryState,
  signed: SignedEvent,
  event: EventOf<'version'>,
  index: number,
): RegistryState {
  const by = signersOf(signed, [...state.roles.approvers, ...state.roles.publishers]);
  if (by.length === 0) throw refuse('expected the signature of a publisher or approver, got none');
  const { model, version, digest } = event;
  const key = keyOf(model, version);
  if (state.versions.has(key)) throw refuse(`expected a new version of ${model}, got ${version} again`);
  if (revocationOf(state, model, digest)) throw refuse(`expected a model that is not revoked, got ${digest}`);
  const { manifest, manifestSize, size, files, evidence, at } = event;
  const added: VersionState = {
    model,
    version,
    digest,
    manifest,
    manifestSize,
    size,
    files,
    evidence,
    index,
    at,
    by,
  };
  return { ...state, versions: new Map(state.versions).set(key, added) };
}

/** What takes effect once enough approvers have signed it. */
type Approvable = 'promotion' | 'rollback' | 'revocation' | 'roles' | 'freeze' | 'thaw';

/** Counts approvals of one event, over as many entries as they come in, and lets it take effect when they are enough. */
function approve(
  state: RegistryState,
  signed: SignedEvent,
  event: EventOf<Approvable>,
  index: number,
): RegistryState {
  const id = digestOf(signed.payload);
  const earlier = state.pending.get(id);
  const fresh = signersOf(signed, state.roles.approvers);
  if (fresh.length === 0) throw refuse('expected the signature of an approver, got none');
  const known = (name: string) => state.roles.approvers.some((party) => party.name === name);
  const approvals = [...new Set([...(earlier?.approvals.filter(known) ?? []), ...fresh])];
  const problem = problemOf(state, event);
  if (problem) throw refuse(problem);
  const { threshold, revocationThreshold } = state.roles;
  const onlyTakes = event.kind === 'revocation' || event.kind === 'freeze';
  const needed = onlyTakes ? revocationThreshold : threshold;
  const pending = new Map(state.pending);
  if (approvals.length < needed) {
    const { payload } = signed;
    pending.set(id, { event, payload, approvals, needed, index: earlier?.index ?? index });
    return { ...state, pending };
  }
  const done = takeEffect({ ...state, pending }, event, approvals, index);
  // What no longer fits (another change came first) never will: sequences only grow.
  for (const [other, waiting] of pending)
    if (other === id || problemOf(done, waiting.event)) pending.delete(other);
  return done;
}

/** Why an event may not take effect in this state; `undefined` when it may. */
function problemOf(state: RegistryState, event: RegistryEvent): string | undefined {
  switch (event.kind) {
    case 'promotion':
    case 'rollback':
      return targetProblem(state, event);
    case 'revocation':
      return revocationOf(state, event.model, event.digest)
        ? `expected a model that is not revoked yet`
        : undefined;
    case 'freeze':
    case 'thaw':
      if ((state.frozen === undefined) !== (event.kind === 'freeze'))
        return `expected a registry that is ${state.frozen ? 'not frozen' : 'frozen'}`;
      return event.sequence === state.freezeSequence + 1
        ? undefined
        : `expected freeze or thaw ${state.freezeSequence + 1}, got ${event.sequence}`;
    case 'roles':
      return event.sequence === state.rolesSequence + 1
        ? undefined
        : `expected change ${state.rolesSequence + 1} of the roles, got ${event.sequence}`;
    default:
      return `expected a change that needs approval, got ${event.kind}`;
  }
}

function targetProblem(state: RegistryState, event: EventOf<'promotion' | 'rollback'>): string | undefined {
  const { model, alias, version, digest, manifest, sequence } = event;
  const found = state.versions.get(keyOf(model, version));
  if (!found) return `expected a version of ${model} that was pushed, got ${version}`;
  if (found.digest !== digest || found.manifest !== manifest)
    return `expected the bytes that were pushed as ${model}@${version}, got others`;
  const revoked = revocationOf(state, model, digest);
  if (revoked) return `${model}@${version} is revoked: ${revoked.reason}`;
  // Going back stays possible: it is what one freezes a registry for.
  if (event.kind === 'promotion' && state.frozen)
    return `the registry is frozen since ${state.frozen.at} by ${state.frozen.by.join(', ')}: ${state.frozen.reason}`;
  const now = state.aliases.get(keyOf(model, alias));
  const next = (now?.sequence ?? 0) + 1;
  if (sequence !== next) return `expected change ${next} of ${model}:${alias}, got ${sequence}`;
  // Rollback protection: what was replaced does not come back as if it were new.
  const older = now !== undefined && found.index < now.floor;
  if (event.kind === 'promotion' && older)
    return `${model}@${version} is older than what ${alias} has had; going back takes a rollback with a reason`;
  if (event.kind === 'rollback' && !older)
    return `${model}@${version} is not older than what ${alias} has had; this is a promotion`;
  return undefined;
}

function takeEffect(
  state: RegistryState,
  event: EventOf<Approvable>,
  by: readonly string[],
  index: number,
): RegistryState {
  // Who was removed, or whose key was replaced, must not count in what still waits.
  if (event.kind === 'roles')
    return { ...state, roles: event.roles, rolesSequence: event.sequence, pending: new Map() };
  if (event.kind === 'freeze' || event.kind === 'thaw') {
    const { kind, reason, at, sequence: freezeSequence } = event;
    return { ...state, freezeSequence, frozen: kind === 'freeze' ? { reason, by, at } : undefined };
  }
  if (event.kind === 'revocation') {
    const { model, digest, reason, at } = event;
    return {
      ...state,
      revoked: new Map(state.revoked).set(keyOf(model, digest), { digest, reason, by, at }),
    };
  }
  const { kind, model, alias, version, digest, evidence, at, sequence } = event;
  const key = keyOf(model, alias);
  const now = state.aliases.get(key);
  const order = state.versions.get(keyOf(model, version))!.index;
  const reason = kind === 'rollback' ? event.reason : event.note;
  const change: AliasChange = { kind, version, digest, evidence, by, at, index, reason };
  return {
    ...state,
    aliases: new Map(state.aliases).set(key, {
      sequence,
      floor: Math.max(now?.floor ?? 0, order),
      history: [...(now?.history ?? []), change],
    }),
  };
}

function refuse(problem: string): GlacisError {
  return new GlacisError('registry/refused', problem);
}

import type { KeyObject } from 'node:crypto';
import { GlacisError } from '../core/error.ts';
import type { BlobStore } from './blob-store.ts';
import type { EventOf, EvidenceRef, Roles } from './event.ts';
import type { LogKeeper } from './event-log.ts';
import { filesOf, readEvidence } from './pull.ts';
import { storeEvidence } from './push.ts';
import { type Committed, commit, eventHead, type Registry } from './registry.ts';
import { keyOf, type Pending, type RegistryState } from './state.ts';

/** Who signs a change. */
export interface Approval {
  readonly keeper: LogKeeper;
  /** All keys of one approver; or of several, who then all sign. */
  readonly keys: readonly KeyObject[];
}

/** A change as it stands after a signature. */
export interface Approved {
  readonly registry: Registry;
  /** What it waits for; missing when it took effect. */
  readonly pending?: Pending | undefined;
}

/** What is asked of an alias. */
export interface AliasRequest {
  readonly model: string;
  readonly version: string;
  readonly alias: string;
  /** Files that speak for the model; they are stored and their digests are signed. */
  readonly evidence: readonly string[];
  /** Needed to go back to an older version, and only then. */
  readonly reason?: string | undefined;
  readonly kind: 'promotion' | 'rollback';
}

/**
 * Lets an alias point to a version: signs the change, or adds a signature to the same change that already waits for it. It takes effect
 * when as many approvers have signed as the registry asks for. Before anything is signed the manifest and all evidence are read and checked.
 * Errors: `registry/refused`, `registry/damaged`, and those of {@link commit}.
 */
export async function changeAlias(
  registry: Registry,
  blobs: BlobStore,
  request: AliasRequest,
  { keeper, keys }: Approval,
): Promise<Approved> {
  const { model, version, alias, kind, reason } = request;
  const found = registry.state.versions.get(keyOf(model, version));
  if (!found)
    throw new GlacisError(
      'registry/refused',
      `${model}@${version}: expected a version that was pushed; there is none`,
    );
  await filesOf(blobs, found);
  const given = await storeEvidence(blobs, request.evidence, registry.signal);
  const waits = waitingFor(registry.state, request);
  const evidence = [...(waits && given.length === 0 ? waits.event.evidence : [...found.evidence, ...given])];
  for (const ref of evidence) await readEvidence(blobs, ref);
  await blobs.keepEvidence?.({ digest: found.manifest, size: found.manifestSize }, given, registry.signal);
  const head = eventHead(registry);
  const done = await commit(registry, keeper, keys, (state) => {
    const pending = waitingFor(state, request, evidence);
    if (pending) return pending.payload;
    const { digest, manifest } = found;
    const sequence = (state.aliases.get(keyOf(model, alias))?.sequence ?? 0) + 1;
    const target = { ...head, model, alias, version, digest, manifest, sequence, evidence };
    return kind === 'promotion'
      ? { ...target, kind, ...(reason === undefined ? {} : { note: reason }) }
      : { ...target, kind, reason: reason ?? '' };
  });
  return approved(done);
}

function approved({ registry, id }: Committed): Approved {
  return { registry, pending: registry.state.pending.get(id) };
}

/** The change that waits for signatures and asks for the same; with just this evidence, where some is given. */
function waitingFor(
  state: RegistryState,
  { model, version, alias, kind }: AliasRequest,
  evidence?: readonly EvidenceRef[],
): (Pending & { readonly event: EventOf<'promotion' | 'rollback'> }) | undefined {
  for (const pending of state.pending.values()) {
    const { event } = pending;
    if (event.kind !== kind || event.model !== model || event.version !== version || event.alias !== alias)
      continue;
    if (evidence === undefined || JSON.stringify(evidence) === JSON.stringify(event.evidence))
      return { ...pending, event };
  }
  return undefined;
}

/**
 * Takes a model out of use, whatever its version is called. Errors: `registry/refused`, and those of {@link commit}.
 */
export async function revoke(
  registry: Registry,
  { model, digest, reason }: { readonly model: string; readonly digest: string; readonly reason: string },
  { keeper, keys }: Approval,
): Promise<Approved> {
  const head = eventHead(registry);
  const same = (state: RegistryState) =>
    [...state.pending.values()].find(
      ({ event }) => event.kind === 'revocation' && event.model === model && event.digest === digest,
    );
  const done = await commit(
    registry,
    keeper,
    keys,
    (state) => same(state)?.payload ?? { ...head, kind: 'revocation', model, digest, reason },
  );
  return approved(done);
}

/** Changes who may do what. Errors: `registry/refused`, `registry/invalid`, and those of {@link commit}. */
export async function changeRoles(
  registry: Registry,
  { roles, reason }: { readonly roles: Roles; readonly reason: string },
  { keeper, keys }: Approval,
): Promise<Approved> {
  const head = eventHead(registry);
  const same = (state: RegistryState) =>
    [...state.pending.values()].find(
      ({ event }) => event.kind === 'roles' && JSON.stringify(event.roles) === JSON.stringify(roles),
    );
  const done = await commit(
    registry,
    keeper,
    keys,
    (state) =>
      same(state)?.payload ?? { ...head, kind: 'roles', roles, reason, sequence: state.rolesSequence + 1 },
  );
  return approved(done);
}

/**
 * Lets nothing be promoted any more, or lets it again. A freeze needs as many approvers as a revocation, a thaw as many as a promotion; promotions that were waiting for
 * signatures are void. What is so already stays so. Errors: `registry/refused`, and those of {@link commit}.
 */
export async function freeze(
  registry: Registry,
  { frozen, reason }: { readonly frozen: boolean; readonly reason: string },
  { keeper, keys }: Approval,
): Promise<Approved> {
  if ((registry.state.frozen !== undefined) === frozen) return { registry };
  const head = eventHead(registry);
  const kind = frozen ? 'freeze' : 'thaw';
  const same = (state: RegistryState) =>
    [...state.pending.values()].find(
      ({ event }) => event.kind === kind && event.sequence === state.freezeSequence + 1,
    );
  const done = await commit(
    registry,
    keeper,
    keys,
    (state) => same(state)?.payload ?? { ...head, kind, reason, sequence: state.freezeSequence + 1 },
  );
  return approved(done);
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GlacisError } from '../../../core/error.ts';
import { memoryHome, memoryOf } from '../../../registry/memory.ts';
import { parseReference } from '../../../registry/names.ts';
import { openBlobs, openPlace } from '../../../registry/place.ts';
import { filesOf, type Resolved, readFileOf, resolveReference } from '../../../registry/pull.ts';
import { openRegistry, type Registry, requireFresh } from '../../../registry/registry.ts';
import { currentOf, type RegistryState, revocationOf } from '../../../registry/state.ts';
import { parseTrust } from '../../../registry/trust.ts';
import { openWrappingKey } from '../../../supply/vault/wrapping-key.ts';
import type { Freeze } from '../../contain/freeze.ts';
import type { RegistryConfig } from '../config-schema.ts';
import { type HeldFile, type HeldModel, heldFrom } from './held-model.ts';
import type { PassedCheck } from './passed-check.ts';
import { resolveWhileFrozen } from './while-frozen.ts';

/** What opening a registry depends on. */
export interface RegistrySurroundings {
  /** What relative paths start from. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home, below which this machine remembers registries. */
  readonly home: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Set while nothing may be promoted. */
  readonly frozen?: (() => Freeze | undefined) | undefined;
}

/** A version of a registry, fresh and not revoked. */
export interface Found extends Resolved {
  readonly registry: Registry;
}

/** Opens the registry anew, verified from its beginning, however long ago its state was signed. Errors: those of opening a registry. */
export async function openAnyRegistry(
  config: RegistryConfig,
  around: RegistrySurroundings,
): Promise<Registry> {
  const { env, home, now, folder, signal } = around;
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(config.location);
  const place = openPlace(isAddress ? config.location : resolve(folder, config.location), env);
  const trust = config.trust === undefined ? undefined : await readTrustFile(resolve(folder, config.trust));
  return openRegistry({
    place,
    memory: memoryOf(memoryHome(env, home), place.where),
    now: () => new Date(now()),
    trust,
    signal,
  });
}

/** As {@link openAnyRegistry}. Errors: `registry/stale` where its state was signed too long ago, those of opening a registry. */
export async function openFreshRegistry(
  config: RegistryConfig,
  around: RegistrySurroundings,
): Promise<Registry> {
  const registry = await openAnyRegistry(config, around);
  requireFresh(registry);
  return registry;
}

/** The version that the configuration means for a served model. Errors: `registry/refused` for one that is not there, is revoked, or was promoted while nothing may be; those of {@link openFreshRegistry}. */
export async function findInRegistry(
  config: RegistryConfig,
  around: RegistrySurroundings,
  model: string,
): Promise<Found> {
  const registry = await openFreshRegistry(config, around);
  return { registry, ...resolved(registry.state, config, around, model) };
}

/**
 * Whether what was loaded may be served on, and whether its alias leads elsewhere now. Errors: `registry/refused` once it is revoked, those of
 * {@link openFreshRegistry}: nobody vouches for a state that cannot be read.
 */
export async function standingInRegistry(
  config: RegistryConfig,
  { digest, served }: { readonly digest: string; readonly served: string },
  around: RegistrySurroundings,
): Promise<{ readonly moved: boolean }> {
  const { state } = await openFreshRegistry(config, around);
  const { model, alias } = parseReference(config.model);
  const revoked = revocationOf(state, model, digest);
  if (revoked)
    throw new GlacisError(
      'registry/refused',
      `${model}: revoked by ${revoked.by.join(', ')}: ${revoked.reason}`,
    );
  const current = alias === undefined ? undefined : currentOf(state, model, alias);
  if (current === undefined || current.digest === digest) return { moved: false };
  try {
    return { moved: resolved(state, config, around, served).version.digest !== digest };
  } catch (thrown) {
    // Frozen, and what the alias led to then is gone: nothing follows it.
    if (around.frozen?.() !== undefined && thrown instanceof GlacisError) return { moved: false };
    throw thrown;
  }
}

function resolved(
  state: RegistryState,
  config: RegistryConfig,
  { frozen }: RegistrySurroundings,
  served: string,
): Resolved {
  const reference = parseReference(config.model);
  const freeze = frozen?.();
  return freeze === undefined
    ? resolveReference(state, reference)
    : resolveWhileFrozen(state, reference, freeze, served);
}

/**
 * The files of a version in memory, verified against the log. Errors: `model/too-large` beyond `most` bytes, `registry/…`, `vault/…`.
 */
export async function holdFromRegistry(
  { registry, version }: Found,
  config: RegistryConfig,
  most: number,
  around: RegistrySurroundings,
): Promise<HeldModel> {
  const blobs = openBlobs(registry.place, registry.state.blobs, around.env);
  const key =
    config.wrappingKey === undefined ? undefined : await openWrappingKey(config.wrappingKey, around.env);
  const entries = await filesOf(blobs, version);
  const total = entries.reduce((sum, { plain }) => sum + plain.size, 0);
  if (total > most)
    throw new GlacisError('model/too-large', `${config.model}: expected at most ${most} bytes, got ${total}`);
  const files: HeldFile[] = [];
  for (const entry of entries) {
    const bytes = new Uint8Array(entry.plain.size);
    const hash = createHash('sha256');
    let at = 0;
    for await (const chunk of readFileOf(registry, blobs, entry, key)) {
      bytes.set(chunk, at);
      hash.update(chunk);
      at += chunk.length;
    }
    files.push({ name: entry.path, bytes, digest: hash.digest('hex') });
  }
  const [only] = files;
  const held = heldFrom(files.length === 1 ? only!.name : version.model, files.length === 1, files);
  // Sound because this root is of the bytes at hand, and the log's is what was promoted.
  if (held.root !== version.digest)
    throw new GlacisError(
      'registry/damaged',
      `${config.model}: expected ${version.digest}, got ${held.root}`,
    );
  return held;
}

/** A promotion counts as a check: the registry's approvers signed it. A version by its number was only pushed. */
export function promotionOf({ change }: Found, config: RegistryConfig): PassedCheck | undefined {
  return (
    change && {
      check: 'registry',
      by: `${config.model}: ${change.kind} by ${change.by.join(', ')} at ${change.at}`,
    }
  );
}

async function readTrustFile(file: string) {
  const bytes = await readFile(file).catch((cause) => {
    throw new GlacisError('registry/untrusted', `${file}: ${cause.message}`, { cause });
  });
  return parseTrust(bytes, file);
}

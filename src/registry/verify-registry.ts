import { GlacisError } from '../core/error.ts';
import { auditLog } from '../ledger/audit.ts';
import type { WrappingKey } from '../supply/vault/wrapping-key.ts';
import { type BlobStore, verified } from './blob-store.ts';
import { filesOf, readEvidence, readFileOf } from './pull.ts';
import { type Registry, requireFresh } from './registry.ts';
import { recordOf } from './sealed-blobs.ts';
import { revocationOf, type VersionState } from './state.ts';

/** One thing that was checked. */
export interface RegistryCheck {
  readonly what: string;
  readonly ok: boolean;
  /** What was found; when it is not good, what is wrong. */
  readonly detail: string;
}

/** How much is checked. */
export interface VerifyOptions {
  /** Reads every stored byte; otherwise only whether the files are there. */
  readonly deep: boolean;
  /** With this, encrypted files are decrypted as well. */
  readonly key?: WrappingKey | undefined;
}

/**
 * Checks everything again, from the log alone: each entry against the signed root and all tiles, each event's signatures and rules, that the
 * state is fresh, each version's manifest, files and evidence against their digests, and that no alias points to a revoked model.
 * (The log's signatures and that it goes on from what was seen are checked by opening the registry.)
 * A check that fails is a result; only what keeps the work from being done is an error: `run/cancelled`, `registry/storage`.
 */
export async function verifyRegistry(
  registry: Registry,
  blobs: BlobStore,
  options: VerifyOptions,
): Promise<readonly RegistryCheck[]> {
  const { state, checkpoint, log, place, signal } = registry;
  const checks: RegistryCheck[] = [];
  const check = async (what: string, work: () => Promise<string>): Promise<void> => {
    try {
      checks.push({ what, ok: true, detail: await work() });
    } catch (thrown) {
      if (
        !(thrown instanceof GlacisError) ||
        thrown.code === 'run/cancelled' ||
        thrown.code === 'registry/storage'
      )
        throw thrown;
      checks.push({ what, ok: false, detail: thrown.message });
    }
  };
  await check(
    'checkpoint',
    async () => `${checkpoint.size} entries, signed by ${state.logKeys.length} keys of ${state.origin}`,
  );
  await check('log', async () => {
    const { entries, tiles } = await auditLog(log, place.log.source, { signal });
    return `${entries} entries lead to the root; ${tiles} tiles hold what they should`;
  });
  await check('freshness', async () => {
    requireFresh(registry);
    return state.freshness === 0
      ? 'this registry does not ask for it'
      : `signed ${new Date((checkpoint.at ?? 0) * 1000).toISOString()}`;
  });
  await check('events', async () => {
    if (state.problems.length > 0)
      throw new GlacisError(
        'registry/invalid',
        `${state.problems.length} entries have no effect: ${state.problems
          .slice(0, 3)
          .map((p) => `entry ${p.index}: ${p.problem}`)
          .join('; ')}`,
      );
    return `${state.entries} signed and allowed`;
  });
  for (const [key, { history }] of state.aliases) {
    const [model = '', alias = ''] = key.split('\n');
    await check(`alias ${model}:${alias}`, async () => {
      const now = history.at(-1)!;
      const revoked = revocationOf(state, model, now.digest);
      if (revoked) throw new GlacisError('registry/refused', `${now.version} is revoked: ${revoked.reason}`);
      return `${now.version}, ${now.kind} by ${now.by.join(', ')}`;
    });
    for (const { version, evidence, index } of history)
      for (const ref of evidence)
        await check(`evidence of ${model}:${alias} (entry ${index}, ${version})`, async () => {
          await readEvidence(blobs, ref);
          return ref.name;
        });
  }
  for (const version of state.versions.values())
    await check(`version ${version.model}@${version.version}`, () =>
      versionDetail(registry, blobs, version, options),
    );
  return checks;
}

async function versionDetail(
  registry: Registry,
  blobs: BlobStore,
  version: VersionState,
  { deep, key }: VerifyOptions,
): Promise<string> {
  const { signal, place } = registry;
  const entries = await filesOf(blobs, version);
  let opened = 0;
  for (const entry of entries) {
    const { plain, stored, path } = entry;
    const sealed = plain.digest !== stored.digest;
    if (sealed) await recordOf(place.records, entry);
    if (!deep) {
      if (!(await blobs.has(stored, signal)))
        throw new GlacisError(
          'registry/damaged',
          `${path}: expected ${stored.digest} in ${blobs.where}; it is not there`,
        );
      continue;
    }
    const bytes =
      sealed && key === undefined
        ? verified(stored, blobs.get(stored, signal), path, signal)
        : readFileOf(registry, blobs, entry, key);
    for await (const _ of bytes);
    if (sealed && key) opened++;
  }
  for (const ref of version.evidence) await readEvidence(blobs, ref);
  const sealed = entries.filter(({ plain, stored }) => plain.digest !== stored.digest).length;
  return [
    `${entries.length} files, ${version.size} bytes${deep ? '' : ' (not read)'}`,
    ...(sealed > 0 ? [`${sealed} encrypted, ${opened} opened`] : []),
  ].join(', ');
}

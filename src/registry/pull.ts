import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import type { WrappingKey } from '../supply/vault/wrapping-key.ts';
import { type BlobStore, readSmall, verified } from './blob-store.ts';
import type { EvidenceRef } from './event.ts';
import { MOST_MANIFEST_BYTES, type ModelEntry, parseManifest } from './model-manifest.ts';
import type { ModelReference } from './names.ts';
import { MOST_EVIDENCE_BYTES } from './push.ts';
import type { Registry } from './registry.ts';
import { readSealed } from './sealed-blobs.ts';
import {
  type AliasChange,
  currentOf,
  keyOf,
  type RegistryState,
  revocationOf,
  type VersionState,
} from './state.ts';

/** What a reference leads to. */
export interface Resolved {
  readonly version: VersionState;
  /** How the alias came to be this, where one was asked for. */
  readonly change?: AliasChange | undefined;
}

/**
 * The version that a reference means, if it may be used.
 * Errors: `registry/refused` for one that is not there or is revoked; `option/invalid` without version and alias.
 */
export function resolveReference(state: RegistryState, { model, version, alias }: ModelReference): Resolved {
  const found = find(state, { model, version, alias });
  const revoked = revocationOf(state, model, found.version.digest);
  if (revoked)
    throw new GlacisError(
      'registry/refused',
      `${model}@${found.version.version}: revoked at ${revoked.at} by ${revoked.by.join(', ')}: ${revoked.reason}`,
    );
  return found;
}

function find(
  state: RegistryState,
  { model, version, alias }: { model: string; version?: string | undefined; alias?: string | undefined },
): Resolved {
  if (version === undefined && alias === undefined)
    throw new GlacisError('option/invalid', `${model}: expected ${model}@VERSION or ${model}:ALIAS`);
  const change = alias === undefined ? undefined : currentOf(state, model, alias);
  if (alias !== undefined && change === undefined)
    throw new GlacisError(
      'registry/refused',
      `${model}:${alias}: expected an alias to which something was promoted; nothing was`,
    );
  const found = state.versions.get(keyOf(model, change?.version ?? version ?? ''));
  if (found === undefined)
    throw new GlacisError(
      'registry/refused',
      `${model}@${version}: expected a version that was pushed; there is none`,
    );
  return { version: found, change };
}

/**
 * The files of a version as its manifest names them, with the manifest checked against the log: its own digest, and the root digest that
 * signatures are about. Errors: `registry/damaged`, `registry/invalid`, `registry/storage`.
 */
export async function filesOf(blobs: BlobStore, version: VersionState): Promise<readonly ModelEntry[]> {
  const where = `manifest of ${version.model}@${version.version}`;
  const blob = { digest: version.manifest, size: version.manifestSize };
  const bytes = await readSmall(blob, blobs.getManifest(blob), where, MOST_MANIFEST_BYTES);
  const { entries } = parseManifest(bytes, where);
  const root = rootDigest(entries.map(({ plain }) => ({ digest: plain.digest.slice('sha256:'.length) })));
  if (`sha256:${root}` !== version.digest)
    throw new GlacisError(
      'registry/damaged',
      `${where}: expected files that lead to ${version.digest}, got sha256:${root}`,
    );
  return entries;
}

/** The bytes of a file of a model, decrypted where they are encrypted, and verified at their end. Errors: `registry/…`, `vault/…`. */
export function readFileOf(
  { place, signal }: Registry,
  blobs: BlobStore,
  { path, plain, stored }: ModelEntry,
  key: WrappingKey | undefined,
): AsyncGenerator<Uint8Array> {
  if (plain.digest === stored.digest) return verified(plain, blobs.get(plain, signal), path, signal);
  if (key === undefined)
    throw new GlacisError('vault/key', `${path}: it is encrypted; expected a --wrapping-key, got none`);
  const vault = { blobs, records: place.records, key };
  return verified(plain, readSealed(vault, { plain, stored }, signal), path, signal);
}

/**
 * Writes a version's files into the new folder `out`. They come under another name first and get theirs when every byte was verified: a
 * folder `out` is always a whole model. Errors: `output/unwritable` when it exists, `registry/…`, `vault/…`, `run/cancelled`.
 */
export async function pull(
  registry: Registry,
  blobs: BlobStore,
  version: VersionState,
  out: string,
  {
    key,
    progress,
  }: { readonly key?: WrappingKey | undefined; readonly progress?: Progress | undefined } = {},
): Promise<readonly ModelEntry[]> {
  const target = resolve(out);
  if (await lstat(target).catch(() => undefined))
    throw new GlacisError(
      'output/unwritable',
      `${out}: expected a place where nothing is, got something that exists`,
    );
  const entries = await filesOf(blobs, version);
  const staging = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.partial`);
  const total = entries.reduce((sum, { plain }) => sum + plain.size, 0);
  let done = 0;
  try {
    await mkdir(staging, { recursive: true, mode: 0o700 });
    for (const entry of entries) {
      const file = join(staging, ...entry.path.split('/'));
      await mkdir(dirname(file), { recursive: true });
      const handle = await open(file, 'wx', 0o644);
      try {
        for await (const chunk of readFileOf(registry, blobs, entry, key)) {
          for (let at = 0; at < chunk.length; )
            at += (await handle.write(chunk, at, chunk.length - at)).bytesWritten;
          done += chunk.length;
          progress?.({ label: 'pull', done, total });
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    await rename(staging, target);
    return entries;
  } catch (thrown) {
    await rm(staging, { recursive: true, force: true });
    throw asGlacisError(thrown, 'output/unwritable', out);
  }
}

/** The bytes of a file of evidence, verified. Errors: `registry/damaged`, `registry/storage`. */
export function readEvidence(blobs: BlobStore, ref: EvidenceRef): Promise<Uint8Array> {
  return readSmall(ref, blobs.get(ref), `evidence ${ref.name}`, MOST_EVIDENCE_BYTES);
}

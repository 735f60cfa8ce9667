import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { asGlacisError, GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { rootDigest } from '../supply/sign/manifest.ts';
import { readManifest } from '../supply/sign/read-manifest.ts';
import type { WrappingKey } from '../supply/vault/wrapping-key.ts';
import { type Blob, type BlobStore, blobOf, once, store } from './blob-store.ts';
import type { EvidenceRef } from './event.ts';
import type { LogKeeper } from './event-log.ts';
import { fileChunks } from './folder-blobs.ts';
import { formatManifest, type ModelEntry, pathProblem } from './model-manifest.ts';
import { commit, eventHead, type Registry } from './registry.ts';
import { storeSealed } from './sealed-blobs.ts';
import { keyOf, type VersionState } from './state.ts';

/** Bytes of a file of evidence at most. */
export const MOST_EVIDENCE_BYTES = 16 << 20;

/** What is pushed. */
export interface PushRequest {
  readonly model: string;
  readonly version: string;
  /** The model: a file or a folder. */
  readonly path: string;
  /** Files that speak for it: signatures, statements. */
  readonly evidence: readonly string[];
  readonly keeper: LogKeeper;
  /** Keys of the publisher. */
  readonly keys: readonly KeyObject[];
  /** Encrypts the files. */
  readonly wrappingKey?: WrappingKey | undefined;
  readonly ignorePaths?: readonly string[] | undefined;
  readonly progress?: Progress | undefined;
}

/**
 * Stores a model's files and adds it to the log as a version. Until the log says so nobody sees it; a push that was killed is run again and
 * stores only what is missing. Pushing the very same again changes nothing.
 * Errors: `registry/refused` (another model under this version, revoked, no right to push), `model/unreadable`, `manifest/…`,
 * `registry/damaged` for a file that changed while it was read, `registry/storage`, `vault/…`, `ledger/…`, `run/cancelled`.
 */
export async function push(
  registry: Registry,
  blobs: BlobStore,
  request: PushRequest,
): Promise<{ readonly registry: Registry; readonly version: VersionState; readonly known: boolean }> {
  const { model, version, path, keeper, keys, wrappingKey, progress } = request;
  const { signal } = registry;
  if (registry.state.encrypted && wrappingKey === undefined)
    throw new GlacisError(
      'registry/refused',
      'this registry takes encrypted models only: expected a --wrapping-key, got none',
    );
  const { manifest: read } = await readManifest(path, {
    dialect: 'spec',
    signal,
    progress,
    ignorePaths: request.ignorePaths,
  });
  const single = read.resources.length === 1 && read.resources[0]?.name === read.name;
  const entries: ModelEntry[] = [];
  for (const { name, digest } of read.resources) {
    const problem = pathProblem(name);
    if (problem) throw new GlacisError('manifest/refused', `${path}: ${JSON.stringify(name)} ${problem}`);
    const file = single && name === read.name ? await firstFile(path, name) : join(path, name);
    entries.push(await storeFile(registry, blobs, file, name, `sha256:${digest}`, wrappingKey));
  }
  const digest = `sha256:${rootDigest(read.resources)}`;
  const { manifest, config } = formatManifest(model, version, entries);
  await store(blobs, blobOf(config), () => once(config), signal);
  const evidence = await storeEvidence(blobs, request.evidence, signal);
  await blobs.putManifest(manifest, tagOf(model, version), signal);
  await blobs.keepEvidence?.(blobOf(manifest), evidence, signal);
  const { digest: manifestDigest, size: manifestSize } = blobOf(manifest);
  const event = {
    ...eventHead(registry),
    kind: 'version' as const,
    model,
    version,
    digest,
    manifest: manifestDigest,
    manifestSize,
    size: entries.reduce((sum, { plain }) => sum + plain.size, 0),
    files: entries.length,
    evidence: [...evidence],
  };
  const there = registry.state.versions.get(keyOf(model, version));
  if (there && there.digest === digest && there.manifest === manifestDigest)
    return { registry, version: there, known: true };
  const { registry: after } = await commit(registry, keeper, keys, () => event);
  return { registry: after, version: after.state.versions.get(keyOf(model, version))!, known: false };
}

/** Stores files that speak for a model. Errors: `data/unreadable`, `option/invalid`, `registry/storage`. */
export async function storeEvidence(
  blobs: BlobStore,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<readonly EvidenceRef[]> {
  const refs: EvidenceRef[] = [];
  for (const path of paths) {
    const handle = await open(path).catch((thrown) => {
      throw asGlacisError(thrown, 'data/unreadable', path);
    });
    try {
      const { size } = await handle.stat();
      if (size > MOST_EVIDENCE_BYTES)
        throw new GlacisError(
          'option/invalid',
          `${path}: expected evidence of at most ${MOST_EVIDENCE_BYTES} bytes, got ${size}`,
        );
      const bytes = await handle.readFile();
      const blob = blobOf(bytes);
      await store(blobs, blob, () => once(bytes), signal);
      refs.push({ name: basename(path), ...blob });
    } finally {
      await handle.close();
    }
  }
  const names = new Set(refs.map(({ name }) => name));
  if (names.size !== refs.length)
    throw new GlacisError('option/invalid', '--evidence: expected files with different names');
  return refs;
}

/** The tag that a version has on an OCI registry. */
function tagOf(model: string, version: string): string {
  return `${model.replaceAll('/', '-')}-${version}`.slice(0, 128);
}

async function storeFile(
  { place, signal }: Registry,
  blobs: BlobStore,
  file: string,
  path: string,
  digest: string,
  wrappingKey: WrappingKey | undefined,
): Promise<ModelEntry> {
  const handle = await open(file).catch((thrown) => {
    throw asGlacisError(thrown, 'model/unreadable', file);
  });
  try {
    const plain: Blob = { digest, size: (await handle.stat()).size };
    const bytes = () => fileChunks(handle);
    if (wrappingKey === undefined) {
      await store(blobs, plain, bytes, signal);
      return { path, plain, stored: plain };
    }
    const vault = { blobs, records: place.records, key: wrappingKey };
    return { path, plain, stored: await storeSealed(vault, plain, bytes, signal) };
  } finally {
    await handle.close();
  }
}

/** Where the one file of a model is: the model itself, or the only file in its folder. */
async function firstFile(path: string, name: string): Promise<string> {
  const handle = await open(path).catch((thrown) => {
    throw asGlacisError(thrown, 'model/unreadable', path);
  });
  try {
    return (await handle.stat()).isDirectory() ? join(path, name) : path;
  } finally {
    await handle.close();
  }
}

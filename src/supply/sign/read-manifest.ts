import { availableParallelism } from 'node:os';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { openDigestCache } from './digest-cache.ts';
import type { Piece } from './hash-piece.ts';
import { hashPieces } from './hash-pieces.ts';
import type { HashType } from './hash-type.ts';
import { GIT_PATHS, ignoring } from './ignored.ts';
import type { Manifest, Resource, Serialization } from './manifest.ts';
import { byCodePoints, shardName } from './resource-name.ts';
import { type Walk, walkModel } from './walk.ts';

/** How a model is turned into a manifest. */
export interface ManifestOptions {
  /** `sha256` unless given. */
  readonly hashType?: HashType | undefined;
  /** Bytes of a shard; without it each file is hashed as a whole. */
  readonly shardSize?: number | undefined;
  /** Whether symbolic links are followed; they are refused unless given. */
  readonly allowSymlinks?: boolean | undefined;
  /** Paths from the model's root that stay out, with all below them. */
  readonly ignorePaths?: readonly string[] | undefined;
  /** Whether what git leaves at the root stays out, too; it does unless `false`. */
  readonly ignoreGitPaths?: boolean | undefined;
  /**
   * What names and algorithms look like where the published tools differ from the text of the specification: `tools` (the one unless
   * given) writes `.` for a model of one file and `sha256-sharded-N` for shards, which the Python and Go tools compare; `spec` writes the
   * file's name and `sha256`.
   */
  readonly dialect?: Dialect | undefined;
  /** A file that remembers digests by path, size, times and inode; none unless given. Whoever can write it can lie about a file. */
  readonly digestCache?: string | undefined;
  /** Worker threads; one a core unless given. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/** See {@link ManifestOptions.dialect}. */
export type Dialect = 'tools' | 'spec';

/** A manifest and what was noticed on the way. */
export interface ModelManifest {
  readonly manifest: Manifest;
  readonly warnings: readonly string[];
  /** Bytes that were hashed or remembered. */
  readonly bytes: number;
}

/**
 * Hashes the model at `path`, a file or a folder. Resources are sorted by Unicode code points. Memory stays below a few MB a thread,
 * whatever the files' sizes. Errors: `model/unreadable`; `manifest/changed` for a file that changes meanwhile; `manifest/refused` for an
 * empty model, links that are not allowed, pipes, devices and names that are not UTF-8; the first five are named.
 */
export async function readManifest(path: string, options: ManifestOptions = {}): Promise<ModelManifest> {
  const { hashType = 'sha256', allowSymlinks = false, ignoreGitPaths = true, shardSize } = options;
  if (shardSize !== undefined && (!Number.isSafeInteger(shardSize) || shardSize < 1))
    throw new GlacisError('option/invalid', `shard size: expected a whole number from 1, got ${shardSize}`);
  const ignorePaths = [...new Set([...(options.ignorePaths ?? []), ...(ignoreGitPaths ? GIT_PATHS : [])])];
  const walk = await walkModel(path, {
    ignored: ignoring(ignorePaths),
    allowSymlinks,
    signal: options.signal,
  });
  requireNoneRefused(path, walk);
  const serialization: Serialization = {
    method: shardSize === undefined ? 'files' : 'shards',
    hashType,
    ...(shardSize === undefined ? {} : { shardSize }),
    allowSymlinks,
    ...(ignorePaths.length > 0 ? { ignorePaths: ignorePaths.toSorted(byCodePoints) } : {}),
  };
  const { dialect = 'tools' } = options;
  const own =
    walk.single && dialect === 'tools' ? walk.files.map((file) => ({ ...file, name: '.' })) : walk.files;
  const hashed = await hashResources({ files: own }, serialization, options);
  const resources =
    shardSize === undefined || dialect === 'spec'
      ? hashed
      : hashed.map((resource) => ({ ...resource, algorithm: `${hashType}-sharded-${shardSize}` }));
  if (resources.length === 0)
    throw new GlacisError('manifest/refused', `${path}: expected a model with at least one file, got none`);
  const bytes = walk.files.reduce((sum, { state }) => sum + Number(state.size), 0);
  return { manifest: { name: walk.name, resources, serialization }, warnings: walk.warnings, bytes };
}

function requireNoneRefused(path: string, { refused }: Walk): void {
  if (refused.length === 0) return;
  const shown = refused.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`);
  const more = refused.length > shown.length ? ` and ${refused.length - shown.length} more` : '';
  throw new GlacisError(
    'manifest/refused',
    `${path}: expected regular files and folders only, got ${shown.join(', ')}${more}`,
  );
}

/** Hashes files as `serialization` says. Resources are sorted. Errors: as {@link readManifest}. */
export async function hashResources(
  { files }: Pick<Walk, 'files'>,
  { method, hashType, shardSize = 1 }: Serialization,
  {
    digestCache,
    threads = availableParallelism(),
    signal,
    progress,
  }: Pick<ManifestOptions, 'digestCache' | 'threads' | 'signal' | 'progress'>,
): Promise<readonly Resource[]> {
  const named: { readonly name: string; readonly piece: Piece }[] = [];
  for (const file of files) {
    const size = Number(file.state.size);
    if (method === 'files') named.push({ name: file.name, piece: { file, start: 0, end: size } });
    // An empty file has no shard (OMS v1.0, section 6.3.2).
    else
      for (let start = 0; start < size; start += shardSize) {
        const end = Math.min(size, start + shardSize);
        named.push({ name: shardName({ path: file.name, start, end }), piece: { file, start, end } });
      }
  }
  named.sort((a, b) => byCodePoints(a.name, b.name));
  const pieces = named.map(({ piece }) => piece);
  const how = { type: hashType, threads, signal, progress };
  const digests =
    digestCache === undefined
      ? await hashPieces(pieces, how)
      : await (await openDigestCache(digestCache)).hash(pieces, how);
  return named.map(({ name }, i) => ({ name, algorithm: hashType, digest: digests[i]! }));
}

import { ignoring } from './ignored.ts';
import type { Manifest } from './manifest.ts';
import { hashResources, type ManifestOptions } from './read-manifest.ts';
import { parseShardName } from './resource-name.ts';
import { type Walk, walkModel } from './walk.ts';

/** One way in which a model is not the one that was signed. Names come from the statement or the disk. */
export interface Difference {
  /** Another content, signed and not there, there and not signed, or something that no manifest can hold. */
  readonly kind: 'changed' | 'missing' | 'extra' | 'refused';
  /** The file, or a shard of it. */
  readonly name: string;
  /** The signed digest, of what changed. */
  readonly expected?: string;
  /** The digest found, of what changed. */
  readonly found?: string;
  /** Of what was refused. */
  readonly reason?: string;
}

/** How a model is held against a manifest. */
export interface CompareOptions
  extends Pick<ManifestOptions, 'digestCache' | 'threads' | 'signal' | 'progress'> {
  /** Paths that stay out beside those that the manifest names. */
  readonly ignorePaths: readonly string[];
  /** Whether files that were not signed are let be. */
  readonly ignoreUnsignedFiles: boolean;
}

/**
 * What about the model at `path` is not as `manifest` says; empty when all is. How links are treated and how files are cut is up to the
 * manifest, never to the caller. Signed names only choose among the files that were found below the model, so no name leads elsewhere;
 * only signed files are read. Errors: `model/unreadable`, `manifest/changed`.
 */
export async function compareModel(
  path: string,
  manifest: Manifest,
  { ignorePaths, ignoreUnsignedFiles, ...how }: CompareOptions,
): Promise<{ readonly differences: readonly Difference[]; readonly warnings: readonly string[] }> {
  const { serialization } = manifest;
  const fileOf = (name: string) =>
    serialization.method === 'shards' ? (parseShardName(name)?.path ?? name) : name;
  const signed = new Map(manifest.resources.map((resource) => [resource.name, resource]));
  const signedFiles = new Set(manifest.resources.map(({ name }) => fileOf(name)));
  const unsigned = ignoring([...ignorePaths, ...(serialization.ignorePaths ?? [])]);
  const onTheWay = foldersOf(signedFiles);
  const walk = named(
    await walkModel(path, {
      // What was signed is looked at even where its like is ignored.
      ignored: (name) => unsigned(name) && !signedFiles.has(name) && !onTheWay.has(name),
      allowSymlinks: serialization.allowSymlinks,
      signal: how.signal,
    }),
    signedFiles,
  );
  const files = walk.files.filter(({ name }) => signedFiles.has(name));
  const differences: Difference[] = [];
  const found = await hashResources({ files }, serialization, how);
  for (const { name, digest } of found) {
    const expected = signed.get(name)?.digest;
    signed.delete(name);
    if (expected === undefined) differences.push({ kind: 'extra', name });
    else if (expected !== digest) differences.push({ kind: 'changed', name, expected, found: digest });
  }
  differences.push(...[...signed.keys()].map((name) => ({ kind: 'missing' as const, name })));
  if (!ignoreUnsignedFiles) {
    for (const { name, state } of walk.files) {
      // Shards of an empty file do not exist, so it can be neither signed nor missing.
      const mute = serialization.method === 'shards' && state.size === 0n;
      if (!signedFiles.has(name) && !mute) differences.push({ kind: 'extra', name });
    }
    differences.push(...walk.refused.map((entry) => ({ kind: 'refused' as const, ...entry })));
  }
  return { differences, warnings: walk.warnings };
}

/** The folders above `files`. */
function foldersOf(files: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of files)
    for (let end = file.indexOf('/'); end !== -1; end = file.indexOf('/', end + 1))
      folders.add(file.slice(0, end));
  return folders;
}

/** Where both are one file and the manifest calls it `.`, as the published tools do, its name does not matter. */
function named(walk: Walk, signedFiles: ReadonlySet<string>): Walk {
  if (!walk.single || signedFiles.size !== 1 || !signedFiles.has('.')) return walk;
  return { ...walk, files: walk.files.map((file) => ({ ...file, name: '.' })) };
}

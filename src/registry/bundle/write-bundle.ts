import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { asGlacisError, GlacisError } from '../../core/error.ts';
import { writeAtomically } from '../../data/index.ts';
import { readManifest } from '../../supply/sign/read-manifest.ts';
import { verified } from '../blob-store.ts';
import { blobOfFile, fileChunks } from '../folder-blobs.ts';
import {
  anchorOf,
  type BundleFile,
  type BundleIndex,
  INDEX_PATH,
  type Part,
  parseIndex,
} from './index-file.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

/** What goes into a bundle. */
export interface BundleRequest {
  /** A file or a folder. */
  readonly model: string;
  /** What the policy calls it. */
  readonly name: string;
  readonly evidence: readonly string[];
  readonly policy: string;
  /** Public keys, certificates and trusted roots. */
  readonly trust: readonly string[];
  readonly ignorePaths?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file on this machine and its place in the bundle. */
interface Source extends BundleFile {
  readonly from: string;
}

/**
 * Writes a model with its signatures, statements, policy and roots into one file: a plain tar archive with an index in front. The same files give
 * the same bytes. Gives what must reach the other side by another way, see {@link anchorOf}.
 * Errors: `model/unreadable`, `manifest/…`, `data/unreadable`, `option/invalid`, `output/unwritable`, `registry/damaged` for a file that
 * changes meanwhile.
 */
export async function writeBundle(
  out: string,
  { model, name, evidence, policy, trust, ignorePaths, signal }: BundleRequest,
): Promise<{ readonly index: BundleIndex; readonly anchor: string }> {
  const { manifest } = await readManifest(model, { dialect: 'spec', ignorePaths, signal });
  const single = await isFile(model);
  const sources: Source[] = [];
  for (const { name: path, digest } of manifest.resources) {
    const from = single ? model : join(model, path);
    const source = await sourceOf('model', from, path);
    if (source.digest !== `sha256:${digest}`)
      throw new GlacisError('manifest/changed', `${from}: it changed while it was read`);
    sources.push(source);
  }
  for (const [part, paths] of [
    ['evidence', evidence],
    ['policy', [policy]],
    ['trust', trust],
  ] as const)
    for (const from of paths) sources.push(await sourceOf(part, from, basename(from)));
  const files = sources.map(({ part, path, size, digest }) => ({ part, path, size, digest }));
  const index: BundleIndex = { schema: 'glacis.bundle/1', name, single, files };
  const bytes = Buffer.from(`${JSON.stringify(index, null, 1)}\n`);
  parseIndex(bytes, out);
  await writeAtomically(out, async (write) => {
    await write(tarHeader({ path: INDEX_PATH, size: bytes.length }));
    await write(bytes);
    await write(tarPadding(bytes.length));
    for (const source of sources) {
      await write(tarHeader(source));
      const handle = await open(source.from);
      try {
        for await (const chunk of verified(source, fileChunks(handle), source.from, signal))
          await write(chunk);
      } finally {
        await handle.close();
      }
      await write(tarPadding(source.size));
    }
    await write(TAR_END);
  });
  return { index, anchor: anchorOf(index) };
}

async function sourceOf(part: Part, from: string, path: string): Promise<Source> {
  const handle = await open(from).catch(unreadable(from));
  try {
    return { part, from, path: `${part}/${path}`, ...(await blobOfFile(handle).catch(unreadable(from))) };
  } finally {
    await handle.close();
  }
}

async function isFile(path: string): Promise<boolean> {
  const handle = await open(path).catch(unreadable(path));
  try {
    return (await handle.stat()).isFile();
  } finally {
    await handle.close();
  }
}

function unreadable(path: string): (thrown: unknown) => never {
  return (thrown) => {
    throw asGlacisError(thrown, 'data/unreadable', path);
  };
}

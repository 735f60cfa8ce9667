import { setImmediate } from 'node:timers/promises';
import { hasherMaker } from '../../../supply/sign/hash-type.ts';
import { GIT_PATHS, ignoring } from '../../../supply/sign/ignored.ts';
import type { Manifest } from '../../../supply/sign/manifest.ts';
import { parseShardName, shardName } from '../../../supply/sign/resource-name.ts';
import type { HeldFile, HeldModel } from './held-model.ts';

/** Bytes between two looks at what else there is to do. */
const TURN = 2 ** 22;

/** What a signed manifest says about a model in memory: the files that it covers, or how the model differs. */
export type Compared = { readonly covered: ReadonlySet<string> } | { readonly differs: string };

/**
 * Holds a model against a manifest, file by file or shard by shard, by the manifest's own hash. A file that was not signed is a difference unless the manifest leaves
 * it out; then it is not covered either. Errors: none for what the manifest holds.
 */
export async function compareHeld(
  held: HeldModel,
  { resources, serialization }: Manifest,
): Promise<Compared> {
  const signed = new Map(resources.map(({ name, digest }) => [name, digest]));
  const fileOf = (name: string) =>
    serialization.method === 'shards' ? (parseShardName(name)?.path ?? name) : name;
  const files = new Set([...signed.keys()].map(fileOf));
  // The published tools call a model of one file so.
  const alone = held.single && files.size === 1 && files.has('.');
  const leftOut = ignoring([...(serialization.ignorePaths ?? []), ...GIT_PATHS]);
  const make = await hasherMaker(serialization.hashType);
  const covered = new Set<string>();
  for (const file of held.files) {
    const name = alone ? '.' : file.name;
    if (!files.has(name)) {
      if (leftOut(name)) continue;
      return { differs: `${file.name} was not signed` };
    }
    covered.add(file.name);
    for (const [piece, start, end] of piecesOf(file, name, serialization.shardSize)) {
      const expected = signed.get(piece);
      if (expected === undefined) return { differs: `${piece} was not signed` };
      signed.delete(piece);
      const known = serialization.hashType === 'sha256' && serialization.method === 'files';
      if (expected !== (known ? file.digest : await digestOf(file.bytes.subarray(start, end), make)))
        return { differs: `${piece} is not what was signed` };
    }
  }
  const [missing] = signed.keys();
  return missing === undefined ? { covered } : { differs: `${missing} was signed and is not there` };
}

function* piecesOf(
  { bytes }: HeldFile,
  name: string,
  shardSize: number | undefined,
): Generator<readonly [name: string, start: number, end: number]> {
  if (shardSize === undefined) yield [name, 0, bytes.length];
  else
    for (let start = 0; start < bytes.length; start += shardSize) {
      const end = Math.min(bytes.length, start + shardSize);
      yield [shardName({ path: name, start, end }), start, end];
    }
}

async function digestOf(bytes: Uint8Array, make: Awaited<ReturnType<typeof hasherMaker>>): Promise<string> {
  const hasher = make();
  for (let at = 0; at < bytes.length; at += TURN) {
    hasher.update(bytes.subarray(at, at + TURN));
    if (at + TURN < bytes.length) await setImmediate();
  }
  return hasher.hex();
}

import { GlacisError } from '../core/error.ts';
import { compareEntries, isMissing, leavesOf, NO_HASH } from './bundle-check.ts';
import { type BundleRoots, bundleRoots, type ThroughOptions } from './bundle-roots.ts';
import type { Checkpoint } from './checkpoint.ts';
import { MOST_BUNDLE_BYTES } from './entry-bundle.ts';
import type { LogSource } from './log-source.ts';
import { HASH_BYTES, nodeHash, rootOf, type SubtreeReader, sameHash } from './merkle.ts';
import { hashesAt, TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, tilePath, widthOf } from './tile.ts';

/** Something in a log that is not as it was signed. */
export interface LogFinding {
  /** What it is about: `entry 513`, `entries 256 to 511`, `tile/1/000`, `checkpoint`. */
  readonly where: string;
  readonly what: string;
  /** The first entry that is concerned, where it is known. */
  readonly entry?: number | undefined;
}

/** What going through a log found. */
export interface Examination {
  readonly entries: number;
  /** Tiles and bundles that were compared. */
  readonly tiles: number;
  /** Nothing, when everything is as it was signed. At most 1,000. */
  readonly findings: readonly LogFinding[];
}

const MOST_FINDINGS = 1000;

/**
 * Computes the whole tree again from all entries, compares every tile and the signed root with it, and names what is not as it was signed: by
 * entry where the tiles above are still right, by bundle otherwise.
 *
 * How: each bundle has three witnesses, its entries, its tile, and the hash in the tile above. Whichever of them lead to the signed root are
 * right; the others are named.
 *
 * Cost: reads the whole log once. Memory: 64 bytes for 256 entries, and a bundle a thread.
 * Errors: `run/cancelled`, `run/failed`, and those of the source other than `ledger/unreadable`, which is a finding.
 */
export async function examineLog(
  source: LogSource,
  checkpoint: Checkpoint,
  options: ThroughOptions & {
    /** Entries below this may be elsewhere, as long as their hashes are here. */
    readonly archived?: number | undefined;
    readonly earlier?: readonly Pick<Checkpoint, 'size' | 'root'>[] | undefined;
  } = {},
): Promise<Examination> {
  const { size } = checkpoint;
  const full = Math.floor(size / TILE_WIDTH);
  const findings: LogFinding[] = [];
  const find = (where: string, what: string, entry?: number) => {
    if (findings.length < MOST_FINDINGS)
      findings.push({ where, what, ...(entry !== undefined && { entry }) });
  };
  const files = fileReader(source);
  const isElsewhere = async (bundle: number) =>
    (bundle + 1) * TILE_WIDTH <= (options.archived ?? 0) &&
    (await files('entries', bundle, TILE_WIDTH)) === undefined;
  const roots = await bundleRoots(source, full, options);
  const above = await storedHashes(files, 1, size);
  const last = await lastTile(files, size);
  const right = await rightHashes(roots, above, last, checkpoint);
  let tiles = 2 * full + (size > full * TILE_WIDTH ? 2 : 0);
  if (right === undefined) {
    find('log', `nothing that is stored leads to the root that was signed for ${size} entries`);
    await nameDifferences(files, roots, above, find);
    if (!sameHash(last.ofEntries, last.ofTile))
      find(`entries ${full * TILE_WIDTH} to ${size - 1}`, 'and their tile differ', full * TILE_WIDTH);
  } else {
    for (let n = 0; n < full; n++) {
      const want = hashAt(right.level1, n);
      if (!sameHash(hashAt(roots.entries, n), want) && !(await isElsewhere(n)))
        await nameEntries(files, n, TILE_WIDTH, sameHash(hashAt(roots.tiles, n), want), find);
      if (!sameHash(hashAt(roots.tiles, n), want)) await nameTile(files, 0, n, TILE_WIDTH, find);
    }
    const width = size - full * TILE_WIDTH;
    if (width > 0) {
      if (!sameHash(last.ofEntries, right.leaves))
        await nameEntries(files, full, width, sameHash(last.ofTile, right.leaves), find);
      if (!sameHash(last.ofTile, right.leaves)) await nameTile(files, 0, full, width, find);
    }
    tiles += await compareUpper(files, right.level1, size, find);
  }
  for (const earlier of options.earlier ?? []) {
    const start = earlier.size;
    if (start > size) {
      find(
        'checkpoint',
        `the log was seen with ${start} entries and has ${size} now: an old state was put back`,
        size,
      );
      continue;
    }
    // With what is stored, right or not: it says up to where the history is the one that was seen.
    const reached = await reaches(files, right?.level1 ?? roots.entries, earlier, size);
    if (!reached)
      find(
        `entries 0 to ${start - 1}`,
        right === undefined
          ? `they are not those that were seen when the log had ${start} entries`
          : `the log was signed anew with another history: its first ${start} entries are not those that were seen`,
        0,
      );
    else if (right === undefined)
      find(
        `entries ${start} to ${size - 1}`,
        `what was changed is among them: the first ${start} are as they were seen`,
        start,
      );
  }
  return { entries: size, tiles, findings };
}

/** A file, or undefined where it is missing or cannot be read. */
type Files = (level: number | 'entries', index: number, width: number) => Promise<Buffer | undefined>;
type Find = (where: string, what: string, entry?: number) => void;

function fileReader(source: LogSource): Files {
  return async (level, index, width) => {
    const most = level === 'entries' ? MOST_BUNDLE_BYTES : TILE_WIDTH * HASH_BYTES;
    for (const each of new Set([width, TILE_WIDTH]))
      try {
        const bytes = await source.read(tilePath({ level, index, width: each }), most);
        if (bytes !== undefined) return Buffer.from(bytes);
      } catch (thrown) {
        if (!(thrown instanceof GlacisError) || thrown.code !== 'ledger/unreadable') throw thrown;
      }
    return undefined;
  };
}

/** The hashes of a level as the stored tiles have them, zeros where one is missing. */
async function storedHashes(files: Files, level: number, size: number): Promise<Uint8Array> {
  const count = hashesAt(level, size);
  const hashes = Buffer.alloc(count * HASH_BYTES);
  for (let index = 0; index * TILE_WIDTH < count; index++) {
    const width = widthOf(level, index, size);
    const bytes = await files(level, index, width);
    bytes?.copy(hashes, index * TILE_WIDTH * HASH_BYTES, 0, width * HASH_BYTES);
  }
  return hashes;
}

/** Leaf hashes of the last bundle, when it is not full: from its entries, and as its tile has them. */
interface LastTile {
  readonly ofEntries: Uint8Array;
  readonly ofTile: Uint8Array;
}

async function lastTile(files: Files, size: number): Promise<LastTile> {
  const index = Math.floor(size / TILE_WIDTH);
  const width = size % TILE_WIDTH;
  if (width === 0) return { ofEntries: new Uint8Array(), ofTile: new Uint8Array() };
  const [bundle, tile] = [await files('entries', index, width), await files(0, index, width)];
  const leaves = bundle === undefined ? NO_HASH : leavesOf(bundle).leaves;
  return {
    ofEntries: leaves.subarray(0, width * HASH_BYTES),
    ofTile: (tile ?? NO_HASH).subarray(0, width * HASH_BYTES),
  };
}

/** Hashes that lead to the signed root. */
interface RightHashes {
  readonly level1: Uint8Array;
  readonly leaves: Uint8Array;
}

/** Which of the witnesses lead to the signed root: one of them throughout, or for each bundle what two of three say. */
async function rightHashes(
  { entries, tiles }: BundleRoots,
  above: Uint8Array,
  last: LastTile,
  { size, root }: Checkpoint,
): Promise<RightHashes | undefined> {
  const most = Buffer.from(above);
  for (let n = 0; n * HASH_BYTES < most.length; n++) {
    const ofEntries = hashAt(entries, n);
    if (!isMissing(ofEntries) && sameHash(ofEntries, hashAt(tiles, n))) most.set(ofEntries, n * HASH_BYTES);
  }
  const tried: Uint8Array[] = [];
  for (const level1 of [entries, above, tiles, most]) {
    if (tried.some((other) => Buffer.compare(other, level1) === 0)) continue;
    tried.push(level1);
    for (const leaves of sameHash(last.ofEntries, last.ofTile)
      ? [last.ofTile]
      : [last.ofEntries, last.ofTile]) {
      if (leaves.length !== (size % TILE_WIDTH) * HASH_BYTES) continue;
      const reached = await rootOf(size, subtrees(level1, leaves, size));
      if (sameHash(reached, root)) return { level1, leaves };
    }
  }
  return undefined;
}

/** Subtree hashes from the hashes of level 1 and the leaf hashes behind them. */
function subtrees(level1: Uint8Array, leaves: Uint8Array, size: number): SubtreeReader {
  const first = Math.floor(size / TILE_WIDTH) * TILE_WIDTH;
  return (height, index) =>
    height < TILE_HEIGHT
      ? fold(leaves, index * 2 ** height - first, height)
      : fold(level1, index * 2 ** (height - TILE_HEIGHT), height - TILE_HEIGHT);
}

/**
 * Whether the first entries of a log of `size` lead to a root that was seen. Their last bundle counts as its entries or as its tile has it: one of both may
 * be damaged, and that is a finding of its own.
 */
async function reaches(
  files: Files,
  level1: Uint8Array,
  earlier: Pick<Checkpoint, 'size' | 'root'>,
  size: number,
): Promise<boolean> {
  const index = Math.floor(earlier.size / TILE_WIDTH);
  const wanted = (earlier.size % TILE_WIDTH) * HASH_BYTES;
  const width = widthOf('entries', index, size);
  const bundle = wanted > 0 ? await files('entries', index, width) : undefined;
  const tile = wanted > 0 ? await files(0, index, width) : undefined;
  for (const leaves of wanted === 0 ? [NO_HASH] : [bundle && leavesOf(bundle).leaves, tile]) {
    if (leaves === undefined || leaves.length < wanted) continue;
    if (sameHash(await rootOf(earlier.size, subtrees(level1, leaves, earlier.size)), earlier.root))
      return true;
  }
  return false;
}

/** The root over `2^height` hashes from the one at `start` on. */
function fold(hashes: Uint8Array, start: number, height: number): Uint8Array {
  if (height === 0) return hashAt(hashes, start);
  const half = 2 ** (height - 1);
  return nodeHash(fold(hashes, start, height - 1), fold(hashes, start + half, height - 1));
}

/** Compares the tiles of level 1 and above with what they must hold; gives how many there are. */
async function compareUpper(files: Files, level1: Uint8Array, size: number, find: Find): Promise<number> {
  let below = level1;
  let compared = 0;
  for (let level = 1; level < TILE_LEVELS && below.length > 0; level++) {
    const up = Buffer.alloc(hashesAt(level + 1, size) * HASH_BYTES);
    for (let index = 0; index * TILE_WIDTH * HASH_BYTES < below.length; index++) {
      const width = widthOf(level, index, size);
      const want = below.subarray(index * TILE_WIDTH * HASH_BYTES, (index * TILE_WIDTH + width) * HASH_BYTES);
      const have = await files(level, index, width);
      if (have === undefined || Buffer.compare(have.subarray(0, want.length), want) !== 0)
        await nameTile(files, level, index, width, find, want);
      if (width === TILE_WIDTH) up.set(fold(want, 0, TILE_HEIGHT), index * HASH_BYTES);
      compared++;
    }
    below = up;
  }
  return compared;
}

async function nameTile(
  files: Files,
  level: number,
  index: number,
  width: number,
  find: Find,
  want?: Uint8Array,
): Promise<void> {
  const path = tilePath({ level, index, width });
  const have = await files(level, index, width);
  if (have === undefined) return find(path, 'it is missing, or no plain file of the right size');
  if (want === undefined) return find(path, 'it does not hold the hashes of the entries');
  const wrong = Array.from({ length: width }, (_, i) => i).filter(
    (i) => !sameHash(hashAt(have, i), hashAt(want, i)),
  );
  const shown = wrong.slice(0, 5).join(', ');
  find(
    path,
    `it does not hold the hashes of the entries, at ${shown}${wrong.length > 5 ? ', …' : ''} of its ${width}`,
  );
}

/** Names what is wrong in a bundle. `known`: whether its tile is right, so that each entry can be compared. */
async function nameEntries(
  files: Files,
  index: number,
  width: number,
  known: boolean,
  find: Find,
): Promise<void> {
  const first = index * TILE_WIDTH;
  const path = tilePath({ level: 'entries', index, width });
  const bundle = await files('entries', index, width);
  const range = `entries ${first} to ${first + width - 1}`;
  if (bundle === undefined)
    return find(range, `${path} is missing, or no plain file of the right size`, first);
  const tile = known ? await files(0, index, width) : undefined;
  if (tile === undefined)
    return find(
      range,
      `something among them was changed, and ${tilePath({ level: 0, index, width })} with it`,
      first,
    );
  const problems = compareEntries(leavesOf(bundle), tile.subarray(0, width * HASH_BYTES));
  for (const { entry, what, bytes } of problems)
    find(
      `entry ${first + entry}`,
      `it ${what}${bytes ? ` (${path}, bytes ${bytes[0]} to ${bytes[1] - 1})` : ` (${path})`}`,
      first + entry,
    );
}

/** Where the witnesses differ from each other, when none of them leads to the root. */
async function nameDifferences(
  files: Files,
  roots: BundleRoots,
  above: Uint8Array,
  find: Find,
): Promise<void> {
  for (let n = 0; n * HASH_BYTES < above.length; n++) {
    const [ofEntries, ofTile, higher] = [hashAt(roots.entries, n), hashAt(roots.tiles, n), hashAt(above, n)];
    if (sameHash(ofEntries, ofTile) && sameHash(ofTile, higher)) continue;
    if (!sameHash(ofEntries, ofTile)) await nameEntries(files, n, TILE_WIDTH, true, find);
    if (!sameHash(ofTile, higher))
      find(
        `entries ${n * TILE_WIDTH} to ${(n + 1) * TILE_WIDTH - 1}`,
        'their tile and the one above differ',
        n * TILE_WIDTH,
      );
  }
}

function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  return hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}

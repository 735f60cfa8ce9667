import { compareEntries, leavesOf } from './bundle-check.ts';
import type { BundleRoots } from './bundle-roots.ts';
import { type Files, hashAt } from './log-files.ts';
import { HASH_BYTES, sameHash } from './merkle.ts';
import { fold } from './right-hashes.ts';
import { hashesAt, TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, tilePath, widthOf } from './tile.ts';

/** Takes a finding. */
export type Find = (where: string, what: string, entry?: number) => void;

/** Compares the tiles of level 1 and above with what they must hold; gives how many there are. */
export async function compareUpper(
  files: Files,
  level1: Uint8Array,
  size: number,
  find: Find,
): Promise<number> {
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

/** Names a tile that does not hold what it must; with `want`, also where. */
export async function nameTile(
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
export async function nameEntries(
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
  const problems = compareEntries(leavesOf(bundle, 4 * TILE_WIDTH), tile.subarray(0, width * HASH_BYTES));
  for (const { entry, what, bytes } of problems)
    find(
      `entry ${first + entry}`,
      `it ${what}${bytes ? ` (${path}, bytes ${bytes[0]} to ${bytes[1] - 1})` : ` (${path})`}`,
      first + entry,
    );
}

/** Where the witnesses differ from each other, when none of them leads to the root. */
export async function nameDifferences(
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

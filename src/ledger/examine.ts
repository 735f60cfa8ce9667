import { bundleRoots, type ThroughOptions } from './bundle-roots.ts';
import type { Checkpoint } from './checkpoint.ts';
import { fileReader, hashAt } from './log-files.ts';
import type { LogSource } from './log-source.ts';
import { sameHash } from './merkle.ts';
import { compareUpper, type Find, nameDifferences, nameEntries, nameTile } from './name-findings.ts';
import { lastTile, reaches, rightHashes, storedHashes } from './right-hashes.ts';
import { TILE_WIDTH } from './tile.ts';

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
  const find: Find = (where, what, entry) => {
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
    for (let n = 0; n < full && findings.length < MOST_FINDINGS; n++) {
      const want = hashAt(right.level1, n);
      if (!sameHash(hashAt(roots.entries, n), want) && !(await isElsewhere(n)))
        await nameEntries(files, n, TILE_WIDTH, sameHash(hashAt(roots.tiles, n), want), find);
      if (!sameHash(hashAt(roots.tiles, n), want)) await nameTile(files, 0, n, TILE_WIDTH, find);
    }
    const width = size - full * TILE_WIDTH;
    if (width > 0) {
      if (!last.isWhole || !sameHash(last.ofEntries, right.leaves))
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

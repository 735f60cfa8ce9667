import { hash } from 'node:crypto';
import { HASH_BYTES, sameHash } from './merkle.ts';
import { rootWithin, TILE_HEIGHT, TILE_WIDTH } from './tile.ts';

/** What stands for a hash that could not be computed: a file is missing or cannot be read. */
export const NO_HASH: Uint8Array = Buffer.alloc(HASH_BYTES);

/** Entries of a bundle as far as they could be read. */
export interface ReadEntries {
  /** Leaf hashes, 32 bytes each. */
  readonly leaves: Uint8Array;
  /** Where each entry begins (its length in front), and where the last one ends. */
  readonly starts: readonly number[];
  /** Whether the bundle ends with an entry. */
  readonly whole: boolean;
}

/**
 * The leaf hashes of a bundle, of `most` entries at most. `bytes` are attacker-controlled, and are this function's own: while an entry is hashed, the byte in front
 * of it, the second one of its length, is the 0 that RFC 6962 wants there, so that nothing needs to be copied.
 */
export function leavesOf(bytes: Uint8Array, most = TILE_WIDTH): ReadEntries {
  const leaves = Buffer.allocUnsafe(most * HASH_BYTES);
  const starts: number[] = [0];
  let [at, n] = [0, 0];
  while (at + 2 <= bytes.length && n < most) {
    const end = at + 2 + bytes[at]! * 256 + bytes[at + 1]!;
    if (end > bytes.length) break;
    const length = bytes[at + 1]!;
    bytes[at + 1] = 0;
    leaves.set(hash('sha256', bytes.subarray(at + 1, end), 'buffer'), n * HASH_BYTES);
    bytes[at + 1] = length;
    n++;
    at = end;
    starts.push(at);
  }
  return { leaves: leaves.subarray(0, n * HASH_BYTES), starts, whole: at === bytes.length };
}

/** The root over the hashes of a full tile; {@link NO_HASH} for any other number of them. */
export function tileRoot(hashes: Uint8Array | undefined): Uint8Array {
  return hashes?.length === TILE_WIDTH * HASH_BYTES ? rootWithin(hashes, 0, TILE_HEIGHT) : NO_HASH;
}

/** The root over the entries of a full bundle, and over the hashes of its tile; only one is computed where both agree. */
export function rootsOf(
  bundle: Uint8Array | undefined,
  tile: Uint8Array | undefined,
): readonly [entries: Uint8Array, tile: Uint8Array] {
  const stored = tileRoot(tile);
  if (bundle === undefined) return [NO_HASH, stored];
  const { leaves, whole } = leavesOf(bundle);
  if (!whole) return [NO_HASH, stored];
  return [tile !== undefined && Buffer.compare(leaves, tile) === 0 ? stored : tileRoot(leaves), stored];
}

/** What is wrong with an entry of a bundle. */
export interface EntryProblem {
  /** Within the bundle. */
  readonly entry: number;
  readonly what: string;
  /** Where its bytes lie in the bundle's file. */
  readonly bytes?: readonly [from: number, to: number] | undefined;
}

/**
 * Names what happened to the entries of a bundle whose leaf hashes are known: changed, dropped, repeated, put in, moved.
 * `found` are the entries as they are, `expected` the leaf hashes as they should be.
 */
export function compareEntries(found: ReadEntries, expected: Uint8Array): readonly EntryProblem[] {
  const count = expected.length / HASH_BYTES;
  const text = (hashes: Uint8Array, i: number) =>
    Buffer.from(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)).toString('latin1');
  const places = new Map<string, number[]>();
  for (let i = 0; i < count; i++)
    places.set(text(expected, i), [...(places.get(text(expected, i)) ?? []), i]);
  const have = Array.from({ length: found.starts.length - 1 }, (_, i) => text(found.leaves, i));
  const bytesOf = (i: number) => [found.starts[i]!, found.starts[i + 1]!] as const;
  const times = new Map<string, number>();
  const problems: EntryProblem[] = [];
  let shift = 0;
  for (const [i, leaf] of have.entries()) {
    const seen = times.get(leaf) ?? 0;
    times.set(leaf, seen + 1);
    const owners = places.get(leaf) ?? [];
    if (owners.length > 0 && seen >= owners.length) {
      problems.push({
        entry: owners.at(-1)!,
        what: 'stands there more often than it was logged',
        bytes: bytesOf(i),
      });
      shift++;
    } else if (owners.length === 0 && have.length !== count)
      problems.push({ entry: Math.min(i, count - 1), what: 'was changed or put in', bytes: bytesOf(i) });
    else if (owners.length === 0) problems.push({ entry: i, what: 'was changed', bytes: bytesOf(i) });
  }
  const left = new Map(times);
  for (let i = 0; i < count; i++) {
    const leaf = text(expected, i);
    const n = left.get(leaf) ?? 0;
    if (n > 0) left.set(leaf, n - 1);
    else if (
      have.length !== count ||
      !problems.some(({ entry, what }) => entry === i && what === 'was changed')
    )
      problems.push({
        entry: i,
        what:
          !found.whole && i >= have.length
            ? 'cannot be read: the bundle ends or is cut before it'
            : 'is not there',
      });
  }
  if (problems.length === 0 || shift === 0) {
    // All there: in another order?
    if (problems.length === 0)
      for (const [i, leaf] of have.entries())
        if (i < count && leaf !== text(expected, i))
          problems.push({
            entry: i,
            what: `was moved: in its place is entry ${places.get(leaf)![0]! - i >= 0 ? '+' : ''}${places.get(leaf)![0]! - i} from it`,
            bytes: bytesOf(i),
          });
  }
  if (problems.length === 0 && !found.whole)
    problems.push({ entry: count - 1, what: 'has bytes behind it that are no entry' });
  return problems.sort((a, b) => a.entry - b.entry);
}

/** Whether a hash stands for one that could not be computed. */
export function isMissing(hash: Uint8Array): boolean {
  return sameHash(hash, NO_HASH);
}

import { createHash, hash } from 'node:crypto';

/** Bytes of a hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

/** The root of a tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1). */
export const EMPTY_ROOT: Uint8Array = createHash('sha256').digest();

/** Where what is hashed is put together: one call that hashes costs less than three that begin, add and end. */
const LEAF = Buffer.alloc(1 + 4096);
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** `SHA-256(0x00 ‖ entry)`: the prefix keeps a leaf from passing as a node (RFC 6962, section 2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  if (entry.length >= LEAF.length)
    return createHash('sha256').update(LEAF.subarray(0, 1)).update(entry).digest();
  LEAF.set(entry, 1);
  return hash('sha256', LEAF.subarray(0, 1 + entry.length), 'buffer');
}

/** `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962, section 2.1). Both must be hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  NODE.set(left, 1);
  NODE.set(right, 1 + HASH_BYTES);
  return hash('sha256', NODE, 'buffer');
}

/**
 * Hash of a complete subtree: the one that covers the leaves `index · 2^height` up to `(index + 1) · 2^height`.
 * Every hash that a proof needs is of this kind or made of such.
 */
export type SubtreeReader = (height: number, index: number) => Promise<Uint8Array> | Uint8Array;

/** The root of the first `size` leaves. Cost: one subtree hash per set bit of `size`. */
export async function rootOf(size: number, read: SubtreeReader): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : rangeHash(0, size, read);
}

/**
 * The hashes that lead from leaf `index` to the root of the first `size` leaves, nearest first: PATH of RFC 6962,
 * section 2.1.1. Expects `0 ≤ index < size ≤ 2^53 − 1`.
 */
export async function inclusionProof(
  index: number,
  size: number,
  read: SubtreeReader,
): Promise<readonly Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      proof.push(await rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(await rangeHash(start, middle, read));
      start = middle;
    }
  }
  return proof.reverse();
}

/**
 * The hashes that show that the tree of `size` leaves begins with that of `earlier` leaves: PROOF of RFC 6962, section
 * 2.1.2. Empty when both are the same or the earlier tree has no leaves. Expects `0 ≤ earlier ≤ size`.
 */
export async function consistencyProof(
  earlier: number,
  size: number,
  read: SubtreeReader,
): Promise<readonly Uint8Array[]> {
  if (earlier === 0 || earlier === size) return [];
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  // Whether the earlier tree's root is still that of the range: then the verifier knows it.
  let whole = true;
  while (earlier < end) {
    const middle = start + splitOf(end - start);
    if (earlier <= middle) {
      proof.push(await rangeHash(middle, end, read));
      end = middle;
    } else {
      proof.push(await rangeHash(start, middle, read));
      start = middle;
      whole = false;
    }
  }
  if (!whole) proof.push(await rangeHash(start, end, read));
  return proof.reverse();
}

/**
 * The root to which `proof` leads from the leaf with this hash, or `undefined` where the proof has not exactly the
 * hashes that it must have (RFC 9162, section 2.1.3.2). All arguments may be attacker-controlled.
 */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!isSize(index) || !isSize(size) || index >= size) return undefined;
  let [first, last] = [index, size - 1];
  let root = leaf;
  for (const hash of proof) {
    if (last === 0 || hash.length !== HASH_BYTES) return undefined;
    if (first % 2 === 1 || first === last) {
      root = nodeHash(hash, root);
      while (first % 2 === 0 && first !== 0) [first, last] = [half(first), half(last)];
    } else root = nodeHash(root, hash);
    [first, last] = [half(first), half(last)];
  }
  return last === 0 ? root : undefined;
}

/**
 * Whether `proof` shows that the tree with `laterRoot` begins with that of `earlierRoot` (RFC 9162, section 2.1.4.2).
 * Nothing but the roots is known of the trees; all arguments may be attacker-controlled.
 */
export function isConsistent(
  earlier: number,
  later: number,
  earlierRoot: Uint8Array,
  laterRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(earlier) || !isSize(later) || earlier > later) return false;
  if (proof.some((hash) => hash.length !== HASH_BYTES)) return false;
  if (earlier === later) return proof.length === 0 && sameHash(earlierRoot, laterRoot);
  if (earlier === 0) return proof.length === 0 && sameHash(earlierRoot, EMPTY_ROOT);
  // An earlier tree that is complete is itself the first hash of the proof, and is left out.
  const path = isPowerOfTwo(earlier) ? [earlierRoot, ...proof] : proof;
  let [first, last] = [earlier - 1, later - 1];
  while (first % 2 === 1) [first, last] = [half(first), half(last)];
  let [old, now] = [path[0], path[0]];
  if (old === undefined || now === undefined) return false;
  for (const hash of path.slice(1)) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      old = nodeHash(hash, old);
      now = nodeHash(hash, now);
      while (first % 2 === 0 && first !== 0) [first, last] = [half(first), half(last)];
    } else now = nodeHash(now, hash);
    [first, last] = [half(first), half(last)];
  }
  return last === 0 && sameHash(old, earlierRoot) && sameHash(now, laterRoot);
}

/** Whether two hashes have the same bytes. Nothing secret is compared. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The hash of the leaves `start` to `end`, where `start` is a multiple of the power of two at or above the length. */
async function rangeHash(start: number, end: number, read: SubtreeReader): Promise<Uint8Array> {
  const length = end - start;
  if (isPowerOfTwo(length)) {
    const height = Math.log2(length);
    return read(height, start / length);
  }
  const middle = start + splitOf(length);
  return nodeHash(await rangeHash(start, middle, read), await rangeHash(middle, end, read));
}

/** The largest power of two below `n`. */
function splitOf(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

function isPowerOfTwo(n: number): boolean {
  let power = 1;
  while (power < n) power *= 2;
  return power === n;
}

/** Bit operations end at 32 bits; sizes do not. */
function half(n: number): number {
  return Math.floor(n / 2);
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

import { sha256 } from './bytes.ts';

/** One step from a leaf to the root. */
export interface Climb {
  /** On which side the neighbour stands. */
  readonly side: 'left' | 'right';
  readonly neighbour: Uint8Array;
  /** The hash of both. */
  readonly parent: Uint8Array;
}

/** The leaf of an entry: `SHA-256(0x00 ‖ entry)` (RFC 6962, section 2.1). */
export function leafHash(entry: Uint8Array): Promise<Uint8Array> {
  return sha256(Uint8Array.of(0), entry);
}

/**
 * The way from a leaf to the root (RFC 9162, section 2.1.3.2), each step as it is computed; `undefined` where the proof has not exactly the hashes that it must
 * have. All arguments may be made up.
 */
export async function climb(
  index: number,
  size: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): Promise<readonly Climb[] | undefined> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    return undefined;
  let [first, last] = [index, size - 1];
  let now = leaf;
  const way: Climb[] = [];
  for (const neighbour of proof) {
    if (last === 0 || neighbour.length !== 32) return undefined;
    const isRight = first % 2 === 1 || first === last;
    now = isRight
      ? await sha256(Uint8Array.of(1), neighbour, now)
      : await sha256(Uint8Array.of(1), now, neighbour);
    way.push({ side: isRight ? 'left' : 'right', neighbour, parent: now });
    // A node without a neighbour on the right goes up as it is.
    if (isRight) while (first % 2 === 0 && first !== 0) [first, last] = [half(first), half(last)];
    [first, last] = [half(first), half(last)];
  }
  return last === 0 ? way : undefined;
}

/** Bit operations end at 32 bits; sizes do not. */
function half(n: number): number {
  return Math.floor(n / 2);
}

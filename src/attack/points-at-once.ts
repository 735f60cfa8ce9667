/** Numbers in one question: a quarter of a MiB. */
const NUMBERS = 2 ** 16;
/** Points that are worth asking together however large they are. */
const FEWEST = 16;

/**
 * Most points that one question should hold for samples of `size` elements, where an attack wants to ask about hundreds. Up to two
 * batches of talks are open at a time, each with a question of its own, so this bounds their memory.
 */
export function pointsAtOnce(size: number): number {
  return Math.max(FEWEST, Math.floor(NUMBERS / size));
}

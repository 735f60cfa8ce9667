/** The class with the highest of `classes` values from `at` on; the first of equals. */
export function likeliest(values: ArrayLike<number>, at: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) if (values[at + k]! > values[at + best]!) best = k;
  return best;
}

/**
 * Makes `winner` the likeliest of a row again, in place: whatever has overtaken it changes places with it, and where they are equal it
 * rises by the smallest step of float32. So every guard keeps the class, however it rounds.
 */
export function restoreLikeliest(values: Float32Array, at: number, classes: number, winner: number): void {
  const best = likeliest(values, at, classes);
  if (best === winner) return;
  const [high, low] = [values[at + best]!, values[at + winner]!];
  values[at + winner] = high;
  values[at + best] = low;
  // Others may be as high, and come first.
  if (likeliest(values, at, classes) !== winner) values[at + winner] = above(high);
}

const FLOAT = new Float32Array(1);
const BITS = new Int32Array(FLOAT.buffer);

/** The next float32 above a finite value. */
function above(value: number): number {
  FLOAT[0] = value === 0 ? 0 : value;
  BITS[0]! += value >= 0 ? 1 : -1;
  return FLOAT[0]!;
}

/**
 * Sine and cosine from additions and multiplications alone.
 *
 * ECMAScript fixes `+ − × ÷ √` to the bit and leaves `Math.sin`, `Math.exp` and their like to the engine. The pictures
 * must have the same bytes on every machine, so the renderer calls none of the latter.
 */

/** Sine of `degrees` in [-720, 720]; off by less than 1e-11. Taylor's series after folding into [-90°, 90°]. */
export function sine(degrees: number): number {
  let folded = degrees - 360 * Math.round(degrees / 360);
  if (folded > 90) folded = 180 - folded;
  else if (folded < -90) folded = -180 - folded;
  const x = folded * 0.017453292519943295;
  let term = x;
  let sum = x;
  for (let k = 2; k <= 16; k += 2) {
    term *= -(x * x) / (k * (k + 1));
    sum += term;
  }
  return sum;
}

/** Cosine of `degrees` in [-630, 630]; off by less than 1e-11. */
export function cosine(degrees: number): number {
  return sine(degrees + 90);
}

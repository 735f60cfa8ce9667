/**
 * The pattern that Square Attack puts into windows in l2 and l1: two halves of opposite sign, each a pile of rectangles around its own centre
 * that grow by one element to each side and shrink in height as 1/k² (l2) or 1/k⁴ (l1). Row-major `[height, width]`, of length 1 in the
 * norm. The halves lie above each other, or side by side where `across` says so.
 */
export function squarePattern(
  norm: 'l2' | 'l1',
  height: number,
  width: number,
  across: boolean,
): Float64Array {
  const pattern = new Float64Array(height * width);
  const long = across ? width : height;
  const upper = Math.floor(long / 2);
  const put = (part: Float64Array, from: number, extent: number, sign: number) => {
    for (let i = 0; i < extent; i++)
      for (let j = 0; j < (across ? height : width); j++) {
        const at = across ? j * width + from + i : (from + i) * width + j;
        pattern[at] = sign * part[i * (across ? height : width) + j]!;
      }
  };
  const other = across ? height : width;
  put(pile(norm, upper, other), 0, upper, 1);
  put(pile(norm, long - upper, other), upper, long - upper, -1);
  return stretched(norm, pattern);
}

/** Rectangles around the centre of `[rows, columns]`, one upon the other, of length 1 in the norm. */
function pile(norm: 'l2' | 'l1', rows: number, columns: number): Float64Array {
  const heights = new Float64Array(rows * columns);
  const centre = [Math.floor(rows / 2), Math.floor(columns / 2)] as const;
  const power = norm === 'l2' ? 2 : 4;
  for (let k = 0; k <= Math.max(...centre); k++) {
    const [top, left] = [centre[0] - k, centre[1] - k];
    for (let y = Math.max(top, 0); y < Math.min(top + 2 * k + 1, rows); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + 2 * k + 1, columns); x++)
        heights[y * columns + x]! += 1 / (k + 1) ** power;
  }
  return stretched(norm, heights);
}

/** At length 1 in the norm, in place; nothing stays nothing. */
function stretched(norm: 'l2' | 'l1', values: Float64Array): Float64Array {
  let length = 0;
  for (const v of values) length += norm === 'l2' ? v * v : Math.abs(v);
  if (norm === 'l2') length = Math.sqrt(length);
  if (length > 0) for (let i = 0; i < values.length; i++) values[i]! /= length;
  return values;
}

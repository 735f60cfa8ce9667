/**
 * The middle of a plane, enlarged `factor` times (1 or more) to the plane's own size with linear interpolation. As in the
 * published programs: the crop is `⌈size / factor⌉` wide, and its first and last pixels stay at the ends (SciPy's `zoom`).
 */
export function clippedZoom(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  factor: number,
): Float64Array {
  const rows = axis(height, factor);
  const columns = axis(width, factor);
  const out = new Float64Array(height * width);
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      const upper = mix(
        plane[row.low * width + column.low]!,
        plane[row.low * width + column.high]!,
        column.share,
      );
      const lower = mix(
        plane[row.high * width + column.low]!,
        plane[row.high * width + column.high]!,
        column.share,
      );
      out[y * width + x] = mix(upper, lower, row.share);
    }
  }
  return out;
}

/** Where each place of an enlarged axis comes from: between `low` and `high`, `share` of the way. */
function axis(size: number, factor: number) {
  const crop = Math.ceil(size / factor);
  const start = Math.floor((size - crop) / 2);
  const enlarged = roundHalfEven(crop * factor);
  const trim = Math.floor((enlarged - size) / 2);
  const step = enlarged > 1 ? (crop - 1) / (enlarged - 1) : 0;
  return Array.from({ length: size }, (_, i) => {
    const at = Math.min(crop - 1, (trim + i) * step);
    const low = Math.floor(at);
    return { low: start + low, high: start + Math.min(crop - 1, low + 1), share: at - low };
  });
}

function mix(a: number, b: number, share: number): number {
  return a + share * (b - a);
}

/** Rounds halves to the even neighbour, as Python does. */
function roundHalfEven(value: number): number {
  const up = Math.floor(value + 0.5);
  return up - value === 0.5 && up % 2 === 1 ? up - 1 : up;
}

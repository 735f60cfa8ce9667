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
  for (let y = 0, to = 0; y < height; y++) {
    const up = rows.low[y]! * width;
    const down = rows.high[y]! * width;
    const v = rows.share[y]!;
    for (let x = 0; x < width; x++, to++) {
      const west = columns.low[x]!;
      const east = columns.high[x]!;
      const u = columns.share[x]!;
      const upper = plane[up + west]! + u * (plane[up + east]! - plane[up + west]!);
      const lower = plane[down + west]! + u * (plane[down + east]! - plane[down + west]!);
      out[to] = upper + v * (lower - upper);
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
  const at = Float64Array.from({ length: size }, (_, i) => Math.min(crop - 1, (trim + i) * step));
  return {
    low: Int32Array.from(at, (place) => start + Math.floor(place)),
    high: Int32Array.from(at, (place) => start + Math.min(crop - 1, Math.floor(place) + 1)),
    share: at.map((place) => place - Math.floor(place)),
  };
}

/** Rounds halves to the even neighbour, as Python does. */
function roundHalfEven(value: number): number {
  const up = Math.floor(value + 0.5);
  return up - value === 0.5 && up % 2 === 1 ? up - 1 : up;
}

/** Measurements in pairs, one of each class; both arrays have one entry a pair. */
export interface PairedTimes {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/**
 * Numbers times from 0 up by the `count` equal shares of all of them that they lie in; equal times share a bin. Gives the bins of
 * both classes and how many there are.
 */
export function binned(
  { a, b }: PairedTimes,
  count: number,
): { readonly a: Uint16Array; readonly b: Uint16Array; readonly bins: number } {
  const sorted = new Float64Array(a.length + b.length);
  sorted.set(a);
  sorted.set(b, a.length);
  sorted.sort();
  const edges: number[] = [];
  for (let i = 1; i < count; i++) {
    const edge = sorted[Math.floor((i * sorted.length) / count)]!;
    if (edge > (edges.at(-1) ?? sorted[0]!)) edges.push(edge);
  }
  const bin = (time: number) => {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (time < edges[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return { a: Uint16Array.from(a, bin), b: Uint16Array.from(b, bin), bins: edges.length + 1 };
}

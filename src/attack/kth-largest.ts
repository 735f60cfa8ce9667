/**
 * The `k`-th largest of `values` (`k` from 1 to their number), found without sorting (Hoare's selection, the median of three as pivot).
 * Reorders `values`. Expects no NaN. Cost: about three passes.
 */
export function kthLargest(values: Float32Array, k: number): number {
  const wanted = values.length - k;
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = medianOf(values[left]!, values[(left + right) >> 1]!, values[right]!);
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swap = values[i]!;
      values[i] = values[j]!;
      values[j] = swap;
      i++;
      j--;
    }
    if (wanted <= j) right = j;
    else if (wanted >= i) left = i;
    else break;
  }
  return values[wanted]!;
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

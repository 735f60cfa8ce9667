/** One comparison of a sorting network: afterwards the smaller value is at `low`, the larger at `high`. */
export interface Comparator {
  readonly low: number;
  readonly high: number;
}

/**
 * The comparisons that bring the value of rank `rank` (0 for the smallest) of `n` values to place `rank`, in order: Batcher's odd-even
 * merge sort, without those that this one place does not depend on.
 *
 * @see Batcher 1968, "Sorting networks and their applications"; Knuth, The Art of Computer Programming 3, algorithm 5.2.2M
 */
export function selectionNetwork(n: number, rank: number): readonly Comparator[] {
  const needed = new Set([rank]);
  return mergeSort(n)
    .toReversed()
    .filter(({ low, high }) => {
      if (!needed.has(low) && !needed.has(high)) return false;
      needed.add(low).add(high);
      return true;
    })
    .reverse();
}

/** Algorithm M: `p`, `q`, `r` and `d` are its own names. */
function mergeSort(n: number): readonly Comparator[] {
  const network: Comparator[] = [];
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(n)) - 1);
  for (let p = top; p >= 1; p /= 2) {
    let [q, r, d] = [top, 0, p];
    for (;;) {
      for (let i = 0; i < n - d; i++) if ((i & p) === r) network.push({ low: i, high: i + d });
      if (q === p) break;
      [d, q, r] = [q - p, q / 2, p];
    }
  }
  return network;
}

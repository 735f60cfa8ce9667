import type { Region } from './region.ts';

/** The elements of one point of a feed at every step, `[step][column of the feed]`. */
export type Feed = readonly (readonly number[])[];

/** A point of a feed that takes the place of another. */
interface Swap {
  readonly feed: Feed;
  readonly step: number;
  /** How much nearer to what was wished than the clean point, squared. */
  readonly gain: number;
}

/**
 * Replaces each point from step `first` on by the one of the last `maxDelay` that is nearest to what the row wishes, where it lies in
 * the region's limits and is nearer than the clean one. Then takes back replacements, those that gain least first, until `accepts`.
 */
export function replay(
  row: Float32Array,
  region: Region,
  feeds: readonly Feed[],
  first: number,
  maxDelay: number,
  accepts: () => boolean,
): void {
  const { clean } = region;
  const wish = row.slice();
  row.set(clean);
  const swaps: Swap[] = [];
  for (const feed of feeds) {
    for (let step = Math.max(1, first); step < feed.length; step++) {
      const home = distance(wish, feed[step]!, clean, feed[step]!);
      let best = home;
      let source = -1;
      for (let from = step - 1; from >= Math.max(0, step - maxDelay); from--) {
        const d = distance(wish, feed[step]!, clean, feed[from]!);
        if (d < best && allowed(feed[step]!, feed[from]!, region)) {
          best = d;
          source = from;
        }
      }
      if (source < 0) continue;
      copy(row, feed[step]!, clean, feed[source]!);
      swaps.push({ feed, step, gain: home - best });
    }
  }
  swaps.sort((a, b) => b.gain - a.gain || a.step - b.step);
  while (!accepts()) {
    const swap = swaps.pop();
    if (!swap) return;
    copy(row, swap.feed[swap.step]!, clean, swap.feed[swap.step]!);
  }
}

/** Whether each point of a feed from step `first` on is the clean one or one of the last `maxDelay` before it. */
export function isReplayed(
  row: Float32Array,
  clean: Float32Array,
  feed: Feed,
  first: number,
  maxDelay: number,
) {
  const equal = (step: number, from: number) =>
    feed[step]!.every((i, k) => row[i] === clean[feed[from]![k]!]);
  for (let step = first; step < feed.length; step++) {
    let from = step;
    while (from >= Math.max(0, step - maxDelay) && !equal(step, from)) from--;
    if (from < Math.max(0, step - maxDelay)) return false;
  }
  return true;
}

function allowed(to: readonly number[], from: readonly number[], { clean, low, high }: Region): boolean {
  return to.every((i, k) => clean[from[k]!]! >= low[i]! && clean[from[k]!]! <= high[i]!);
}

function copy(row: Float32Array, to: readonly number[], clean: Float32Array, from: readonly number[]): void {
  for (const [k, i] of to.entries()) row[i] = clean[from[k]!]!;
}

/** Squared distance of the point `a` of `x` to the point `b` of `y`. */
function distance(x: Float32Array, a: readonly number[], y: Float32Array, b: readonly number[]): number {
  let sum = 0;
  for (const [k, i] of a.entries()) sum += (x[i]! - y[b[k]!]!) ** 2;
  return sum;
}

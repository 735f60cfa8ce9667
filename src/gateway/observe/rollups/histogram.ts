/** Latencies in buckets that grow by an eighth of an octave: from 0.01 ms to half an hour, each within 4.5 % of its middle. */
const FIRST = 0.01;
const PER_OCTAVE = 8;
const BUCKETS = 224;

/** Counts of latencies. */
export type Histogram = Uint32Array;

/** An empty one. */
export function newHistogram(): Histogram {
  return new Uint32Array(BUCKETS);
}

/** Counts one latency in milliseconds. */
export function countLatency(histogram: Histogram, milliseconds: number): void {
  const place = milliseconds > FIRST ? Math.floor(Math.log2(milliseconds / FIRST) * PER_OCTAVE) + 1 : 0;
  histogram[place < BUCKETS ? place : BUCKETS - 1]!++;
}

/** Adds `more` to a histogram. */
export function addHistogram(histogram: Histogram, more: Histogram): void {
  for (let i = 0; i < BUCKETS; i++) histogram[i]! += more[i]!;
}

/** The latency below which a share of all lie, in milliseconds: the middle of its bucket. Undefined where nothing was counted. */
export function quantile(histogram: Histogram, share: number): number | undefined {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(share * total));
  let below = 0;
  for (let i = 0; i < BUCKETS; i++) {
    below += histogram[i]!;
    if (below < rank) continue;
    const middle = i === 0 ? FIRST / 2 : FIRST * 2 ** ((i - 0.5) / PER_OCTAVE);
    return Number(middle.toPrecision(3));
  }
  return undefined;
}

/** Only what is not empty: place, count, place, count … */
export function packHistogram(histogram: Histogram): number[] {
  const packed: number[] = [];
  for (let i = 0; i < BUCKETS; i++) if (histogram[i]! > 0) packed.push(i, histogram[i]!);
  return packed;
}

/** Adds what {@link packHistogram} gave. What is no histogram adds nothing. */
export function addPacked(histogram: Histogram, packed: readonly number[] | undefined): void {
  if (!Array.isArray(packed)) return;
  for (let i = 0; i + 1 < packed.length; i += 2) {
    const [place, count] = [packed[i]!, packed[i + 1]!];
    if (place >= 0 && place < BUCKETS && count > 0) histogram[place]! += count;
  }
}

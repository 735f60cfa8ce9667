import { ROW } from './calm-rows.ts';
import { type OddChances, openOddChances } from './odd-chances.ts';

/** What is known of one who asks. Rows are those of `calmRowReader`. */
export interface Asker {
  readonly name: string;
  /** Where its own rows lie: it follows them slowly, so that one scanner that ages is nobody's attack. */
  readonly centre: Float64Array;
  /** The last rows that counted, `[4, ROW]`. */
  readonly latest: Float32Array;
  /** Mean of its last rows, {@link MEAN} of them. */
  readonly mean: Float64Array;
  /** Sums of rows less what all have in common and less the centre, over this half of the window and the one before. */
  now: Float64Array;
  before: Float64Array;
  n: number;
  nBefore: number;
  /** Rows that counted, and odd ones among them; both fade. */
  rows: number;
  odd: number;
  readonly chances: OddChances;
  counted: number;
  asked: number;
  first: number;
  last: number;
  /** ln of the evidence that this is no calm client. */
  evidence: number;
  /** The same to be multiplied with others'. */
  part: number;
  shifted: number;
  /** Ids of decisions that were odd, the last first; of any where none was. */
  shown: string[];
}

/** Rows that count towards a window half. */
const HALF = 256;

/** Fewest rows whose mean is judged: the rows of a camera before one strange picture are not independent, and odd queries are noticed sooner anyway. */
const FEWEST = 48;

/** A row nearer to one of the last that counted than this share of what two calm rows are apart does not count: frames and retries are one query. */
const SAME = 0.6;
const LATEST = 4;

const FADE = 1 / 512;

/** Rows after which what was has fallen to 1/e in a client's mean. */
const MEAN = 64;

/** How far a client's centre moves with one row, and how far at most, in deviations of calm rows: queries of another domain are further off than that, and come at once. */
const PACE = 0.05;
const FURTHEST = 8;

/** A client that nobody knows yet. */
export function freshAsker(name: string, at: number): Asker {
  return {
    name,
    centre: new Float64Array(ROW),
    mean: new Float64Array(ROW),
    latest: new Float32Array(LATEST * ROW).fill(Number.POSITIVE_INFINITY),
    now: new Float64Array(ROW),
    before: new Float64Array(ROW),
    ...{ n: 0, nBefore: 0, rows: 0, odd: 0, counted: 0, asked: 0 },
    chances: openOddChances(),
    first: at,
    last: at,
    evidence: Number.NEGATIVE_INFINITY,
    part: 0,
    shifted: 0,
    shown: [],
  };
}

/** How far calm clients' means are from each other: the variance of a mean in each direction. */
export interface Spread {
  readonly calm: number;
  /** The same of those who are looked for. */
  readonly strange: number;
}

/** What calm clients are like now. */
export interface CalmNow {
  readonly spread: Spread;
  /** The share of rows that may be odd. */
  readonly usual: number;
  /** The mean row of all clients, `[ROW]`. */
  readonly common: Float64Array;
  /** By how much all clients' windows are off all the same, because `common` follows slowly, `[ROW]`. */
  readonly lag: Float64Array;
}

/** ln of the mean of two bits of evidence. */
export function halves(a: number, b: number): number {
  const most = Math.max(a, b);
  if (most === Number.NEGATIVE_INFINITY) return most;
  return most + Math.log(0.5 * Math.exp(a - most) + 0.5 * Math.exp(b - most));
}

/** Squared distance of a row from where this client's rows lie now. */
export function strangeness({ centre }: Asker, row: Float32Array, common: Float64Array): number {
  let squared = 0;
  for (let i = 0; i < ROW; i++) squared += (row[i]! - common[i]! - centre[i]!) ** 2;
  return squared;
}

/** Moves the centre a step of fixed length towards the row: one strange row moves it no more than another. */
function follow({ centre }: Asker, row: Float32Array, common: Float64Array, squared: number): void {
  const step = PACE / Math.max(1, Math.sqrt(squared));
  let length = 0;
  for (let i = 0; i < ROW; i++) {
    centre[i]! += step * (row[i]! - common[i]! - centre[i]!);
    length += centre[i]! * centre[i]!;
  }
  if (length > FURTHEST * FURTHEST) {
    const back = FURTHEST / Math.sqrt(length);
    for (let i = 0; i < ROW; i++) centre[i]! *= back;
  }
}

/**
 * Takes one row; false where it is like one of the last and so counts for nothing.
 *
 * Two tests run side by side. The shift: for a calm client whose mean is drawn from N(0, σ²) and rows from N(mean, 1), `E = N(S; 0, n + n²τ²) / N(S; 0, n + n²σ²)` with S the sum of n rows is a ratio of two mixtures, so
 * its mean stays 1 and `P(E ever ≥ c) ≤ 1/c`, whenever one looks; τ² is the variance of strange clients. Windows of 256 to 512 rows, so that a long calm past hides nothing. The odd ones: {@link openOddChances} on rows that are strange by
 * themselves, of which a calm client has the share `usual`.
 */
export function takeRow(
  asker: Asker,
  row: Float32Array,
  odd: number,
  { spread, usual, common, lag }: CalmNow,
): boolean {
  asker.asked++;
  if (resembles(row, asker.latest)) return false;
  asker.latest.set(row, (asker.counted % LATEST) * ROW);
  asker.counted++;
  const squared = strangeness(asker, row, common);
  const isOdd = squared > odd;
  const weight = Math.max(1 / asker.counted, 1 / MEAN);
  for (let i = 0; i < ROW; i++) {
    asker.now[i]! += row[i]! - common[i]! - asker.centre[i]!;
    asker.mean[i]! += weight * (row[i]! - asker.mean[i]!);
  }
  asker.n++;
  asker.rows += 1 - FADE * asker.rows;
  asker.odd += (isOdd ? 1 : 0) - FADE * asker.odd;
  asker.chances.take(isOdd, usual);
  follow(asker, row, common, squared);
  const n = asker.n + asker.nBefore;
  asker.shifted = n >= FEWEST ? logRatio(asker, n, spread, lag) : 0;
  // Half of the stake on each test.
  asker.evidence = halves(asker.shifted, asker.chances.evidence());
  asker.part = halves(asker.shifted, asker.chances.excess());
  if (asker.n >= HALF) {
    [asker.before, asker.now] = [asker.now, asker.before.fill(0)];
    [asker.nBefore, asker.n] = [asker.n, 0];
  }
  return true;
}

function logRatio({ now, before }: Asker, n: number, { calm, strange }: Spread, lag: Float64Array): number {
  let squared = 0;
  for (let i = 0; i < ROW; i++) squared += (now[i]! + before[i]! - n * lag[i]!) ** 2;
  const [a, b] = [n + n * n * calm, n + n * n * strange];
  return 0.5 * (ROW * Math.log(a / b) + squared * (1 / a - 1 / b));
}

function resembles(row: Float32Array, latest: Float32Array): boolean {
  const within = SAME * 2 * ROW;
  for (let from = 0; from < latest.length; from += ROW) {
    let total = 0;
    for (let i = 0; i < ROW && total < within; i++) {
      const gap = row[i]! - latest[from + i]!;
      total += gap * gap;
    }
    if (total < within) return true;
  }
  return false;
}

/** Cosine of what two clients' rows sum up to: keys of one hand point the same way. */
export function likeness(a: Asker, b: Asker): number {
  let [product, first, second] = [0, 0, 0];
  for (let i = 0; i < ROW; i++) {
    const [x, y] = [a.now[i]! + a.before[i]!, b.now[i]! + b.before[i]!];
    product += x * y;
    first += x * x;
    second += y * y;
  }
  return first > 0 && second > 0 ? product / Math.sqrt(first * second) : 0;
}

/** Count, mean and variance of a set of times. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Unbiased. */
  readonly variance: number;
}

/** Mean and variance in two passes, which lose no digits to large means. */
export function momentsOf(values: Float64Array): Moments {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, variance: n > 1 ? squares / (n - 1) : 0 };
}

/** One of the tests of {@link leakTests}. */
export interface WelchTest {
  /** `raw`, `cropped at 42.1 %` or `squares`. */
  readonly of: string;
  readonly t: number;
  /** Measurements in it, of both classes. */
  readonly n: number;
  /** t/√n: does not grow with the number of measurements; (5/τ)² of them would show t = 5. */
  readonly tau: number;
}

const CROPS = 100;
/** Measurements of each class below which a cropped test says nothing. */
const LEAST = 100;

/** Welch's t of two sets; 0 where neither varies and both are the same. */
function welch(of: string, a: Float64Array, b: Float64Array): WelchTest {
  const [x, y] = [momentsOf(a), momentsOf(b)];
  const error = Math.sqrt(x.variance / Math.max(1, x.n) + y.variance / Math.max(1, y.n));
  const difference = y.mean - x.mean;
  const t = error > 0 ? difference / error : difference === 0 ? 0 : Math.sign(difference) * 1e9;
  const n = x.n + y.n;
  return { of, t, n, tau: t / Math.sqrt(Math.max(1, n)) };
}

/**
 * The tests of dudect (Reparaz, Balasch, Verbauwhede 2017, "Dude, is my code constant time?", https://github.com/oreparaz/dudect):
 * Welch's t between the times of two classes, raw, without those above each of 100 percentiles 1 − ½^(10 i/100) (the slowest are
 * noise of the machine), and of the squared distances from the class's mean (a difference in spread). Deviation: percentiles are
 * those of all measurements of both classes, not of a first batch. A crop that leaves fewer than 100 of a class is left out.
 */
export function leakTests(a: Float64Array, b: Float64Array): readonly WelchTest[] {
  const sorted = new Float64Array(a.length + b.length);
  sorted.set(a);
  sorted.set(b, a.length);
  sorted.sort();
  const tests = [welch('raw', a, b)];
  for (let i = 1; i <= CROPS; i++) {
    const share = 1 - 0.5 ** ((10 * i) / CROPS);
    const limit = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
    const [x, y] = [a.filter((time) => time < limit), b.filter((time) => time < limit)];
    if (x.length >= LEAST && y.length >= LEAST)
      tests.push(welch(`cropped at ${(100 * share).toFixed(1)} %`, x, y));
  }
  const squares = (times: Float64Array) => {
    const { mean } = momentsOf(times);
    return times.map((time) => (time - mean) ** 2);
  };
  if (a.length >= LEAST && b.length >= LEAST) tests.push(welch('squares', squares(a), squares(b)));
  return tests;
}

/** The test with the largest |t|. */
export function strongest(tests: readonly WelchTest[]): WelchTest {
  return tests.reduce((most, test) => (Math.abs(test.t) > Math.abs(most.t) ? test : most));
}

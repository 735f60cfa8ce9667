import { GlacisError } from '../core/error.ts';

/**
 * What one private training run does to its data, as far as privacy goes: `steps` times, every sample joins the batch with
 * probability `rate`, independently of all others (Poisson sampling); the clipped gradients are summed and get Gaussian
 * noise with standard deviation `noise` × the clipping norm.
 */
export interface PrivateRun {
  /** Probability with which a sample joins a batch, in (0, 1]; 1 is training on all samples in every step. */
  readonly rate: number;
  /** Noise multiplier: the noise's standard deviation over the clipping norm, in [0.05, 10000]. */
  readonly noise: number;
  /** Number of steps with noise, a whole number in [1, 10⁹]. */
  readonly steps: number;
}

/** The range of a run's noise multiplier. Beyond it privacy is either gone or far better than any model can be trained with. */
export const NOISE_RANGE = { least: 0.05, most: 10_000 } as const;

/** Most steps of a run. */
export const MOST_STEPS = 1_000_000_000;

/** Most runs that are composed at once. */
const MOST_RUNS = 100_000;

/** Checks a run. Errors: `option/invalid`. */
export function checkRun(run: PrivateRun, where = 'run'): void {
  checkRate(run.rate, where);
  checkNoise(run.noise, where);
  checkSteps(run.steps, where);
}

/** Checks a sampling rate. Errors: `option/invalid`. */
export function checkRate(rate: number, where: string): void {
  if (!(rate > 0 && rate <= 1))
    throw refused(where, 'a sampling rate above 0 and at most 1 (batch size over number of samples)', rate);
}

/** Checks a noise multiplier. Errors: `option/invalid`. */
export function checkNoise(noise: number, where: string): void {
  if (!(noise >= NOISE_RANGE.least && noise <= NOISE_RANGE.most))
    throw refused(
      where,
      `a noise multiplier of ${NOISE_RANGE.least} to ${NOISE_RANGE.most} (without noise there is no privacy)`,
      noise,
    );
}

/** Checks a number of steps. Errors: `option/invalid`. */
export function checkSteps(steps: number, where: string): void {
  if (!Number.isSafeInteger(steps) || steps < 1 || steps > MOST_STEPS)
    throw refused(where, `a whole number of steps of 1 to ${MOST_STEPS}`, steps);
}

/** Checks a delta. Errors: `option/invalid`. */
export function checkDelta(delta: number, where = 'delta'): void {
  if (!(delta > 0 && delta < 1))
    throw refused(where, 'a probability above 0 and below 1, such as 1e-5', delta);
}

/** Checks a target epsilon. Errors: `option/invalid`. */
export function checkEpsilon(epsilon: number, where = 'epsilon'): void {
  if (!(epsilon > 0 && epsilon < Number.POSITIVE_INFINITY))
    throw refused(where, 'a finite number above 0', epsilon);
}

/**
 * The runs with equal ones joined: two runs with the same rate and noise are one with both their steps. Order: by first
 * appearance. Errors: `option/invalid` for a run out of range, none at all, or more than 100,000.
 */
export function joined(runs: readonly PrivateRun[], where = 'runs'): readonly PrivateRun[] {
  if (runs.length === 0 || runs.length > MOST_RUNS)
    throw new GlacisError('option/invalid', `${where}: expected 1 to ${MOST_RUNS} runs, got ${runs.length}`);
  const steps = new Map<string, PrivateRun>();
  for (const run of runs) {
    checkRun(run, where);
    const key = `${run.rate} ${run.noise}`;
    const { rate, noise } = run;
    steps.set(key, { rate, noise, steps: (steps.get(key)?.steps ?? 0) + run.steps });
  }
  const all = [...steps.values()];
  checkSteps(
    all.reduce((sum, run) => sum + run.steps, 0),
    `${where} (all steps together)`,
  );
  return all;
}

function refused(where: string, expected: string, got: unknown): GlacisError {
  return new GlacisError('option/invalid', `${where}: expected ${expected}, got ${String(got)}`);
}

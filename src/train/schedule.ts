import { GlacisError } from '../core/error.ts';

/** How the learning rate goes over a run. */
export interface Schedule {
  readonly name: string;
  /** Everything that it depends on, for records. */
  readonly options: Readonly<Record<string, number | string>>;
  /** The rate of step `step` (from 0) of `total`. */
  rate(step: number, total: number): number;
}

/** What all schedules have in common. */
export interface ScheduleOptions {
  /** Highest learning rate; above 0. */
  readonly peak: number;
  /** Share of all steps over which the rate rises in a straight line, in [0, 1). Default 0.05. */
  readonly warmUp?: number;
}

/** Rises, then stays. Errors: `option/invalid`. */
export function constant(options: ScheduleOptions): Schedule {
  return afterWarmUp('constant', options, {}, () => 1);
}

/** Rises, then falls along half a cosine towards 0 (Loshchilov & Hutter 2017, without restarts). Errors: `option/invalid`. */
export function cosine(options: ScheduleOptions): Schedule {
  return afterWarmUp('cosine', options, {}, (done) => (1 + Math.cos(Math.PI * done)) / 2);
}

/** Rises, then is multiplied by `factor` (default 0.1) at each share of all steps in `at` (default 0.5 and 0.75). Errors: `option/invalid`. */
export function steps(
  options: ScheduleOptions & { readonly at?: readonly number[]; readonly factor?: number },
): Schedule {
  const { at = [0.5, 0.75], factor = 0.1, ...common } = options;
  for (const share of at) checkShare('at', share);
  if (!(factor > 0 && factor <= 1))
    throw new GlacisError('option/invalid', `factor: expected a number above 0 up to 1, got ${factor}`);
  return afterWarmUp(
    'steps',
    common,
    { at: at.join(' '), factor },
    (_, overall) => factor ** at.filter((share) => overall >= share).length,
  );
}

/**
 * One cycle (Smith & Topin 2018): from `peak / 25` along half a cosine up to the peak over the share `warmUp` (default 0.3), then down along
 * another to nearly 0. Errors: `option/invalid`.
 */
export function oneCycle({ peak, warmUp = 0.3 }: ScheduleOptions): Schedule {
  checkCommon(peak, warmUp);
  const between = (from: number, to: number, done: number) =>
    to + ((from - to) * (1 + Math.cos(Math.PI * done))) / 2;
  return {
    name: 'one-cycle',
    options: { peak, warmUp },
    rate(step, total) {
      const up = warmUp * total;
      return step < up
        ? between(peak / 25, peak, step / up)
        : between(peak, peak / 1e4, (step - up) / Math.max(1, total - up));
    },
  };
}

function afterWarmUp(
  name: string,
  { peak, warmUp = 0.05 }: ScheduleOptions,
  more: Readonly<Record<string, number | string>>,
  shape: (done: number, overall: number) => number,
): Schedule {
  checkCommon(peak, warmUp);
  return {
    name,
    options: { peak, warmUp, ...more },
    rate(step, total) {
      const rising = Math.round(warmUp * total);
      if (step < rising) return (peak * (step + 1)) / rising;
      return peak * shape((step - rising) / Math.max(1, total - rising), step / total);
    },
  };
}

function checkCommon(peak: number, warmUp: number): void {
  if (!(peak > 0 && Number.isFinite(peak)))
    throw new GlacisError('option/invalid', `learningRate: expected a number above 0, got ${peak}`);
  if (!(warmUp >= 0 && warmUp < 1)) checkShare('warmUp', warmUp);
}

function checkShare(name: string, share: number): void {
  if (!(share >= 0 && share < 1))
    throw new GlacisError(
      'option/invalid',
      `${name}: expected a share from 0 up to, but not, 1, got ${share}`,
    );
}

import { GlacisError } from '../../core/error.ts';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import type { CorruptionPlan } from './plan.ts';
import {
  CORRUPTION_SCHEMA,
  type CorruptionErrors,
  type CorruptionResult,
  type RelativeErrors,
} from './result.ts';
import type { CorruptionRecord } from './run.ts';

/**
 * What a record says. A corruption counts once all its severities are done; what is missing is named in `notes`. `undefined`
 * where the clean samples are not done.
 *
 * @param perSample name of the file with the outcome of every sample
 */
export function corruptionResult(
  plan: CorruptionPlan,
  record: CorruptionRecord,
  perSample?: string,
): CorruptionResult | undefined {
  const n = record.cleanWrong.length;
  if (record.finished < 1 || n === 0) return undefined;
  const done = record.finished - 1;
  const each = plan.severities.length;
  const errorIn = (cell: number) => share(record.wrong[cell]!);
  const corruptions: CorruptionErrors[] = [];
  const noises: CorruptionResult['noises'][number][] = [];
  const left: string[] = [];
  const whole: number[] = [];
  for (let i = 0; i < plan.cells.length; ) {
    const cell = plan.cells[i]!;
    if ('noise' in cell) {
      if (i < done) noises.push({ noise: cell.noise, amount: cell.amount, error: errorIn(i) });
      else left.push(`${cell.noise} noise`);
      i++;
      continue;
    }
    const { id } = cell.corruption;
    if (i + each <= done) {
      const errors = plan.severities.map((_, s) => errorIn(i + s));
      corruptions.push({ corruption: id, errors, meanError: mean(errors) });
      whole.push(...plan.severities.map((_, s) => i + s));
    } else left.push(id);
    i += each;
  }
  const meanCorruptionError = mean(corruptions.map(({ meanError }) => meanError));
  return {
    schema: CORRUPTION_SCHEMA,
    suite: 'evasion',
    kind: 'corruption',
    n,
    image: { channels: plan.image.channels, height: plan.image.height, width: plan.image.width },
    cleanAccuracy: 1 - share(record.cleanWrong),
    severities: plan.severities,
    corruptions,
    ...(corruptions.length > 0 && {
      meanCorruptionError,
      confidence: interval(meanCorruptionError, n),
    }),
    noises,
    queries: record.queries,
    seconds: record.seconds,
    ...(perSample !== undefined && { perSample }),
    ...(left.length > 0 && { notes: [`stopped early, without ${[...new Set(left)].join(', ')}`] }),
  };
}

/**
 * The interval of a mean of `n` numbers in [0, 1] as if each were 0 or 1: such a mean varies at most as much as a proportion
 * does, so this one is wider than it need be, and stays honest at 0 and 1. The whole counts are rounded outward.
 */
function interval(value: number, n: number): readonly [number, number] {
  // The mean of whole counts is a whole number of parts; rounding must not push it past one.
  const sum = Math.min(n, Number((value * n).toFixed(9)));
  return [clopperPearson(Math.floor(sum), n)[0], clopperPearson(Math.ceil(sum), n)[1]];
}

/**
 * The result with its errors in units of another model's on the same corruptions and severities: mCE and relative mCE of Hendrycks
 * & Dietterich 2019 (there the other model is AlexNet; any will do, and what matters is to say which).
 * Corruptions that the baseline does not have are left out. Errors: `data/mismatch` where the severities differ or nothing is in common.
 *
 * @param name how the baseline is called
 */
export function relativeTo(
  result: CorruptionResult,
  baseline: CorruptionResult,
  name: string,
): CorruptionResult {
  const other = new Map(baseline.corruptions.map((each) => [each.corruption, each]));
  const common = result.corruptions.filter(({ corruption }) => other.has(corruption));
  if (String(result.severities) !== String(baseline.severities) || common.length === 0)
    throw new GlacisError(
      'data/mismatch',
      `baseline ${name}: expected corruptions of ${result.corruptions.map((c) => c.corruption).join(', ') || 'none'} at severities ${result.severities.join(', ')}, got ${baseline.corruptions.map((c) => c.corruption).join(', ') || 'none'} at ${baseline.severities.join(', ')}`,
    );
  // Sums over severities have the same ratio as means, because both models have the same severities.
  const corruptions = common.map(({ corruption, meanError }): RelativeErrors['corruptions'][number] => {
    const theirs = other.get(corruption)!.meanError;
    const lost = meanError - (1 - result.cleanAccuracy);
    const theirLoss = theirs - (1 - baseline.cleanAccuracy);
    return {
      corruption,
      corruptionError: theirs > 0 ? meanError / theirs : null,
      relativeCorruptionError: theirLoss > ROUNDING ? lost / theirLoss : null,
    };
  });
  const means = (key: 'corruptionError' | 'relativeCorruptionError') =>
    corruptions.flatMap((each) => each[key] ?? []);
  const [absolute, relative] = [means('corruptionError'), means('relativeCorruptionError')];
  return {
    ...result,
    relative: {
      baseline: name,
      corruptions,
      ...(absolute.length > 0 && { meanCorruptionError: mean(absolute) }),
      ...(relative.length > 0 && { relativeMeanCorruptionError: mean(relative) }),
    },
  };
}

/** A loss below this is the rounding of a difference of fractions. */
const ROUNDING = 1e-12;

function share(flags: Uint8Array): number {
  return flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

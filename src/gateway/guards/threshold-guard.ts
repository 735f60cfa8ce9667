import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { guardCalibrationFrom } from '../../detect/calibration/read-calibration.ts';
import type { GuardCalibration } from '../../detect/calibration/schema.ts';
import type { Detector, Observations, Watched } from '../../detect/detector.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { GuardKind, GuardSetting, GuardVerdict } from '../guard.ts';

const action = z
  .enum(['flag', 'degrade', 'refuse'])
  .default('flag')
  .describe('What happens to a request with a sample above the threshold.');

const falsePositiveRate = z
  .number()
  .gt(0)
  .lt(1)
  .optional()
  .describe(
    'The share of calm samples that may be above the threshold: one of the rates of the calibration, the lowest unless given. It is a share of samples, so a request of n samples meets it about n times as often.',
  );

/** Options of guards with a calibrated threshold. */
export const thresholdOptions = z.strictObject({ action, falsePositiveRate });

/** Options of such guards that ask the model again, and so do it for a share of requests only. */
export const sampledOptions = z.strictObject({
  action,
  falsePositiveRate,
  share: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe(
      'The share of requests that are looked at; which ones, nobody can tell beforehand. Each costs further passes of the model.',
    ),
});

type Options = z.output<typeof thresholdOptions> & { readonly share?: number };

/** A score that JSON cannot hold is told as this. */
const NO_SCORE = Number.MAX_VALUE;

/**
 * The guard that a detector makes with a calibrated threshold. Its score is the highest of the request's samples. Where the model's answer lacks what the
 * detector needs, it refuses: a guard that cannot look must not let through.
 */
export function thresholdGuard<Fit, O extends Options>(
  detector: Detector<Fit>,
  { about, options }: { readonly about: string; readonly options: z.ZodType<O> },
): GuardKind<O> {
  const { id: name, needs } = detector;
  return {
    name,
    about,
    options,
    features: needs === 'features',
    make({ action, falsePositiveRate, share = 1 }, setting) {
      const { watched, threshold, fit } = openCalibration(detector, setting, falsePositiveRate);
      const scorer = detector.open(fit, watched);
      const verdict = (scores: Float64Array): GuardVerdict => {
        let highest = -NO_SCORE;
        let alarms = 0;
        for (let i = 0; i < scores.length; i++) {
          const score = scores[i]!;
          // Written so that NaN is an alarm.
          if (!(score <= threshold)) alarms++;
          if (!(score <= highest)) highest = Number.isFinite(score) ? score : NO_SCORE;
        }
        if (alarms === 0) return { action: 'pass', score: highest };
        return {
          action,
          score: highest,
          because: `${alarms} of ${scores.length} samples above ${threshold}`,
        };
      };
      return {
        name,
        phase: needs === 'inputs' ? 'before' : 'after',
        features: needs === 'features',
        alarm: { threshold, action },
        judge(call) {
          if (share < 1 && randomInt(2 ** 32) >= share * 2 ** 32) return { action: 'pass', score: 0 };
          const seen = observationsOf(call, watched, needs);
          if (seen === undefined)
            return { action: 'refuse', score: NO_SCORE, because: `${needs} are missing or of another size` };
          const scores = scorer(seen);
          return scores instanceof Float64Array ? verdict(scores) : scores.then(verdict);
        },
      };
    },
  };
}

/** The calibration, if it is of a model like this one and has the rate. Errors: `option/invalid`. */
function openCalibration<Fit>(
  { id, kept, needs }: Detector<Fit>,
  { model, calibration, ask }: GuardSetting,
  rate: number | undefined,
): { readonly watched: Watched; readonly threshold: number; readonly fit: Fit } {
  const { watched, thresholds, fit } = guardCalibrationFrom(id, calibration);
  const refuse = (wanted: string, got: string): never => {
    throw new GlacisError('option/invalid', `guard ${id}: expected ${wanted}, got ${got}`);
  };
  const { classifier } = model;
  if (classifier === undefined) return refuse('a classifier', `${model.name}, which is none`);
  if (!isOf(watched, classifier, needs === 'features'))
    refuse(`a calibration of ${model.name}`, 'one of a model of other sizes');
  const threshold =
    rate === undefined
      ? thresholds.toSorted((a, b) => a.rate - b.rate)[0]?.threshold
      : thresholds.find((each) => Math.abs(each.rate - rate) < 1e-12)?.threshold;
  if (threshold === undefined)
    return refuse(
      `a rate of ${thresholds.map((each) => each.rate).join(', ') || 'none'}, as calibrated`,
      `${rate ?? 'none'}`,
    );
  const read = kept.safeParse(fit);
  if (!read.success) return refuse('what the calibration learnt', 'something else');
  return { watched: { ...watched, ask }, threshold, fit: read.data };
}

function isOf(
  { sampleDims, classes, gives, features }: GuardCalibration['watched'],
  classifier: NonNullable<GuardSetting['model']['classifier']>,
  needsFeatures: boolean,
): boolean {
  return (
    sampleDims.join() === classifier.sampleDims.join() &&
    classes === classifier.classes &&
    gives === classifier.gives &&
    (!needsFeatures || features === classifier.features)
  );
}

/** What the detector looks at; undefined where something of it is missing. */
function observationsOf(
  call: Parameters<ReturnType<GuardKind<Options>['make']>['judge']>[0],
  { sampleDims, classes, features: width }: Watched,
  needs: Detector<unknown>['needs'],
): Observations | undefined {
  const { n } = call;
  const x = call.floats();
  const size = elementCount(sampleDims);
  if (x?.length !== n * size) return undefined;
  if (needs === 'inputs') return { n, x, scores: NONE };
  const scores = call.scores?.();
  if (scores?.length !== n * classes) return undefined;
  if (needs === 'features' && call.features?.length !== n * (width ?? 0)) return undefined;
  return { n, x, scores, features: call.features };
}

const NONE = new Float32Array(0);

import { z } from 'zod';

/** The version of the format, as the field `schema` carries it. */
export const CALIBRATION_SCHEMA = 'glacis.calibration/1';

const count = z.number().int().min(0).max(1e9);
const share = z.number().min(0).max(1);
const sizes = z
  .array(
    z
      .number()
      .int()
      .min(1)
      .max(2 ** 31),
  )
  .max(16);
const range = z.tuple([z.number(), z.number()]);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: '`sha256:` and 64 hexadecimal digits' });
const name = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, { error: 'the name of a guard' });

/** Out of `n` samples `alarms` raised one; the interval covers the true share with 95 % confidence. */
const measured = z.strictObject({ n: count, alarms: count, low: share, high: share });

/** What was learnt and measured for one guard. */
export const guardCalibrationSchema = z.strictObject({
  /** What the model was like; a guard refuses one that is not. */
  watched: z.strictObject({
    sampleDims: sizes,
    classes: z
      .number()
      .int()
      .min(1)
      .max(2 ** 24),
    gives: z.enum(['logits', 'probabilities']),
    features: z
      .number()
      .int()
      .min(1)
      .max(2 ** 24)
      .optional(),
    range: range.optional(),
  }),
  /** What the guard learnt, in its own form. */
  fit: z.unknown(),
  thresholds: z
    .array(
      z.strictObject({
        rate: z.number().gt(0).lt(1),
        threshold: z.number(),
        rank: count,
        calm: count,
        confidence: z.number().gt(0).lt(1).optional(),
        /** On calm samples that neither the fit nor the threshold has seen. */
        heldOut: measured,
        /** On attacked samples, where some were given. */
        attacked: measured.optional(),
      }),
    )
    .max(16),
});

/** One guard's part of a calibration: what `GuardSetting.calibration` holds. */
export type GuardCalibration = z.output<typeof guardCalibrationSchema>;

/** A calibration file: the one source of its type and its checks. */
export const calibrationSchema = z.strictObject({
  schema: z.literal(CALIBRATION_SCHEMA, { error: `"${CALIBRATION_SCHEMA}"` }),
  /** The root digest of the model, as `glacis digest` shows it. */
  model: digest,
  data: z.strictObject({
    calm: digest,
    /** Where what guards learn from is a data set of its own. */
    fit: digest.optional(),
    attacked: digest.optional(),
    seed: z.number().int(),
    samples: z.strictObject({ fit: count, threshold: count, heldOut: count, attacked: count.optional() }),
  }),
  guards: z.record(name, guardCalibrationSchema),
});

/** A whole calibration. */
export type Calibration = z.output<typeof calibrationSchema>;

import { z } from 'zod';
import { THREAT_NORMS } from '../../threat/threat-norms.ts';
import type { Claim } from './claim.ts';

/** Entries of a list in a statement, at most; an assessment has some hundreds. */
export const MOST_ENTRIES = 5000;

const share = z.number().min(0).max(1);
const amount = z.number().min(0);
const count = z.int().min(0);
const text = z.string().min(1).max(500);

/** A point in time, read as milliseconds. */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/)
  .transform((each) => Date.parse(each))
  .refine((ms) => Number.isFinite(ms), { error: 'a time' });

/** A share and its interval, which must hold it; the slack allows for rounding. */
export const measured = z
  .object({ value: share, confidence: z.tuple([share, share]) })
  .refine(({ value, confidence: [low, high] }) => low <= value + 1e-9 && value <= high + 1e-9, {
    error: 'a value inside its interval',
  });

const attackRun = z.object({
  attack: text,
  options: z.record(z.string().max(100), z.unknown()).default({}),
});
const threat = { norm: z.enum(THREAT_NORMS), eps: amount };
const data = z.string().max(200).optional();

/** What a document of measures may say: claims of the measured kinds, in the same words. */
export const measure: z.ZodType<Claim, unknown> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cleanAccuracy'), accuracy: measured, samples: count, data }),
  z.object({
    kind: z.literal('robustAccuracy'),
    ...threat,
    accuracy: measured,
    samples: count,
    attacks: z.array(attackRun).min(1).max(200),
    data,
  }),
  z.object({ kind: z.literal('certifiedAccuracy'), ...threat, accuracy: measured, samples: count, data }),
  z.object({
    kind: z.literal('membershipInference'),
    attack: attackRun,
    fpr: share,
    tpr: measured,
    samples: count,
  }),
  z.object({ kind: z.literal('extraction'), attack: attackRun, fidelity: measured, queries: count }),
  z.object({
    kind: z.literal('backdoor'),
    method: text,
    verdict: z.enum(['none-found', 'suspected', 'found', 'inconclusive']),
  }),
]);

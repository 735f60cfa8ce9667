import { z } from 'zod';
import { fraction, pattern, positive, several } from '../../policy/schema/fields.ts';
import { timeSpan } from '../../store/index.ts';

const HOUR = 3_600_000;
const FOUR_WEEKS = 28 * 24 * HOUR;

/** What a budget counts by. `tenant`: all principals of one together; `model`: everybody together. */
export const BUDGET_SCOPES = ['principal', 'tenant', 'model'] as const;

/** One of {@link BUDGET_SCOPES}. */
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

const budgetLimitSchema = z.strictObject({
  per: z.enum(BUDGET_SCOPES).describe('What is counted by.'),
  who: several(pattern)
    .default(['*'])
    .describe('Principals or tenants it is for; the first entry of the same "per" that fits holds.'),
  models: several(pattern).default(['*']).describe('Models it is for.'),
  together: z
    .boolean()
    .default(false)
    .describe('Whether its models are counted together; otherwise each has the whole budget.'),
  queries: positive.describe('The budget: a request with a batch of n counts n.'),
  window: timeSpan
    .refine((span) => span >= HOUR, { error: 'at least 1 hour' })
    .default(FOUR_WEEKS)
    .describe('The span of time that it is for: no span of this length has more. It slides, in 28 steps.'),
});

/** One budget. */
export type BudgetLimit = z.output<typeof budgetLimitSchema>;

/** Budgets where none are named. */
const DEFAULT_LIMITS: readonly BudgetLimit[] = [
  { per: 'principal', who: ['*'], models: ['*'], together: false, queries: 50_000, window: FOUR_WEEKS },
  { per: 'tenant', who: ['*'], models: ['*'], together: false, queries: 200_000, window: FOUR_WEEKS },
];

const DEFAULT_STEPS = { rounded: 0.5, top1: 0.75, label: 0.9 };

/** `serve.budgets`: how many queries somebody has over weeks. */
export const budgetsSchema = z.strictObject({
  limits: z
    .array(budgetLimitSchema)
    .max(200)
    .default(() => [...DEFAULT_LIMITS])
    .describe('All that apply must have room.'),
  steps: z
    .strictObject({
      rounded: fraction.optional(),
      top1: fraction.optional(),
      label: fraction.optional(),
    })
    .refine(
      (steps) => {
        const given = [steps.rounded, steps.top1, steps.label].filter((share) => share !== undefined);
        return given.every((share, i) => i === 0 || share >= given[i - 1]!);
      },
      { error: 'shares that do not fall from rounded over top1 to label' },
    )
    .default(DEFAULT_STEPS)
    .describe(
      'Past which share of a budget answers are rounded, name the likeliest class alone, or its label alone.',
    ),
  failed: z
    .enum(['count', 'free'])
    .default('count')
    .describe('Whether a call counts that could not be answered through no fault of the caller.'),
  lease: positive
    .default(256)
    .describe(
      'Queries that a gateway takes from the store at once, at most a hundredth of the budget. A crash costs a caller this many at most.',
    ),
  storeGone: z
    .enum(['refuse', 'label'])
    .default('refuse')
    .describe(
      'Once what was taken at once is used up and the store does not answer: refuse, or answer with labels and count later.',
    ),
  timeout: timeSpan.default(2000).describe('How long a call waits for the store.'),
  mostTracked: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(100_000)
    .describe('Budgets in memory at once; calls beyond that are refused as unavailable.'),
  mostDowntime: timeSpan
    .optional()
    .describe(
      'How much of the time in which no gateway ran counts as passed, at each start. None without: then setting the clock gains nothing.',
    ),
});

/** What {@link budgetsSchema} reads. */
export type BudgetsConfig = z.output<typeof budgetsSchema>;

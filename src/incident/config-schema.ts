import { z } from 'zod';
import { ALARM_KINDS, ALARM_SEVERITIES } from '../monitor/alarm.ts';
import { pattern, several } from '../policy/schema/fields.ts';
import { timeSpan } from '../store/index.ts';
import { MEASURES } from './order.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const step = z
  .strictObject({
    measure: z.enum(MEASURES).describe('What is done.'),
    to: z
      .enum(['principals', 'model'])
      .default('principals')
      .describe('Whom it meets: the principals that the alarm names, or everybody who asks that model.'),
    perMinute: z.number().gt(0).max(1e9).optional().describe('throttle: requests a minute.'),
    detail: z.enum(['label', 'scores']).optional().describe('degrade: the most that is told.'),
    guard: z
      .strictObject({
        name: z.string().min(1).max(60),
        strictness: z.number().gt(0).max(1),
        action: z.enum(['flag', 'degrade', 'refuse']).optional(),
      })
      .optional()
      .describe('guard: which, the factor on its threshold, and what it does then.'),
    lasts: timeSpan.default(DAY).describe('How long, unless somebody ends it earlier.'),
  })
  .refine(({ measure, to }) => to === 'principals' || !['quarantine', 'throttle'].includes(measure), {
    error: 'principals as those that quarantine or throttle meets: nothing locks out everybody',
  })
  .refine(({ measure, perMinute }) => (measure === 'throttle') === (perMinute !== undefined), {
    error: 'perMinute with throttle, and with nothing else',
  })
  .refine(({ measure, guard }) => (measure === 'guard') === (guard !== undefined), {
    error: 'guard with the measure guard, and with nothing else',
  });

/** One thing that automatic response does. */
export type ResponseStep = z.output<typeof step>;

const rule = z.strictObject({
  when: z.strictObject({
    kind: z.enum(ALARM_KINDS).optional().describe('attack, drift or fault; any without.'),
    monitor: several(pattern).default(['*']).describe('Monitors.'),
    severity: z.enum(ALARM_SEVERITIES).optional().describe('As bad as this or worse; any without.'),
    model: several(pattern).default(['*']).describe('Models.'),
  }),
  do: z.array(step).min(1).max(16).describe('In this order.'),
});

/** When an alarm is answered, and how. */
export type ResponseRule = z.output<typeof rule>;

const any = { monitor: ['*'], model: ['*'] };

/** What happens where nothing is configured: less is told to whom an attack is ascribed; what is critical is stopped for an hour. */
const DEFAULT_RULES: readonly ResponseRule[] = [
  {
    when: { kind: 'attack', severity: 'critical', ...any },
    do: [
      { measure: 'quarantine', to: 'principals', lasts: HOUR },
      { measure: 'throttle', to: 'principals', perMinute: 30, lasts: DAY },
    ],
  },
  {
    when: { kind: 'attack', severity: 'high', ...any },
    do: [{ measure: 'degrade', to: 'principals', detail: 'label', lasts: DAY }],
  },
];

const respondSchema = z.strictObject({
  mode: z
    .enum(['on', 'dry-run', 'off'])
    .default('on')
    .describe('dry-run: what would be done is written into the case, and not done.'),
  rules: z
    .array(rule)
    .max(100)
    .default(() => [...DEFAULT_RULES])
    .describe('All that fit an alarm are followed, in this order.'),
  mostQuarantined: z
    .int()
    .min(0)
    .max(10_000)
    .default(10)
    .describe(
      'Principals that may be quarantined without a person, in an hour. Beyond it a person is asked.',
    ),
  mostMeasures: z
    .int()
    .min(0)
    .max(100_000)
    .default(200)
    .describe(
      'Measures of all kinds that may be taken without a person, in an hour. Beyond it a person is asked.',
    ),
  never: z
    .array(pattern)
    .max(1000)
    .default([])
    .describe('Principals that nothing is done to without a person, such as a probe of your own.'),
});

/** `serve.incidents`: how alarms become cases, and what is done about them without a person. */
export const incidentsSchema = z.strictObject({
  reopenWithin: timeSpan
    .default(7 * DAY)
    .describe('A new alarm about what a case was closed for opens it again, this long.'),
  relatedWithin: timeSpan
    .default(HOUR)
    .describe(
      'Alarms about the same principals and model belong to one case when their queries lie this near.',
    ),
  repeatAfter: timeSpan
    .default(10 * MINUTE)
    .describe('An alarm that comes again sooner is counted, and not kept as another.'),
  mostAlarms: z.int().min(1).max(10_000).default(200).describe('Alarms kept of a case; more are counted.'),
  mostCasesAnHour: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('New cases in an hour; what comes beyond is gathered in one.'),
  respond: respondSchema.prefault({}),
  fourEyes: z
    .strictObject({
      measures: z
        .array(z.enum(MEASURES))
        .max(MEASURES.length)
        .default([])
        .describe('Measures that a second person must approve.'),
      lift: z
        .array(z.enum(MEASURES))
        .max(MEASURES.length)
        .default([])
        .describe('Measures whose end a second person must approve.'),
      lasts: timeSpan.default(DAY).describe('How long an act waits to be approved.'),
    })
    .prefault({}),
  impact: z
    .strictObject({
      mostRows: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(10_000)
        .describe('Affected decisions kept one by one; all are counted.'),
      mostReplayed: z
        .int()
        .min(0)
        .max(100_000_000)
        .default(1_000_000)
        .describe('Decisions that are replayed against a good model.'),
      tolerance: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe('How far the score of the same class may lie off; 1: only the class counts.'),
    })
    .prefault({}),
});

/** What {@link incidentsSchema} reads. */
export type IncidentsConfig = z.output<typeof incidentsSchema>;

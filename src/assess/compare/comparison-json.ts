import {
  amount,
  type Check,
  checked,
  count,
  describe,
  finite,
  fraction,
  jsonIn,
  list,
  name,
  object,
  one,
  optional,
  pair,
  rule,
  text,
  time,
} from '../json-check.ts';
import { RESULT_NORMS } from '../result.ts';
import {
  COMPARISON_SCHEMA,
  CONTRAST_VERDICTS,
  type Comparison,
  type ComparisonRow,
  type Contrast,
  LEVEL,
  type Rate,
} from './comparison.ts';

/** Rows in one file: far more than two assessments have in common. */
const MOST_ROWS = 10_000;
/** What is computed from two numbers of the file may differ from a third in the last digits. */
const ROUNDING = 1e-9;

/**
 * A comparison as JSON text, two spaces of indent and a final line feed.
 *
 * @throws GlacisError `result/invalid` when a field is missing or out of range
 */
export function comparisonToJson(comparison: Comparison): string {
  checkComparison(comparison, 'comparison');
  return `${JSON.stringify(comparison, null, 2)}\n`;
}

/**
 * Reads a comparison from JSON text and checks every field, also against each other: no verdict without its p-value.
 * Fields that this version does not know are kept.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function parseComparison(text: string, where = 'comparison'): Comparison {
  return checkComparison(jsonIn(text, where), where);
}

function checkComparison(value: unknown, where: string): Comparison {
  return checked(value, where, {
    schema: COMPARISON_SCHEMA,
    origin: 'glacis compare --json',
    check: comparison,
  });
}

const close = (a: number, b: number) => Math.abs(a - b) <= ROUNDING;

const truth = rule('true or false', (v) => typeof v === 'boolean');
const difference = rule('a number between −1 and 1', (v) => typeof v === 'number' && Math.abs(v) <= 1);

/** An interval of differences. */
const signedPair: Check = (value, path, problems) => {
  if (!Array.isArray(value) || value.length !== 2)
    problems.push(`${path}: expected [low, high], got ${describe(value)}`);
  else for (let i = 0; i < 2; i++) difference(value[i], `${path}[${i}]`, problems);
};

const around = ({
  difference: d,
  interval: [low, high],
}: Pick<Contrast, 'difference' | 'interval'>): string | undefined =>
  low > d + ROUNDING || high < d - ROUNDING
    ? `expected the difference ${d} inside its interval, got [${low}, ${high}]`
    : undefined;

const rate = object(
  { n: count, right: count, accuracy: fraction, confidence: pair },
  ({ n, right, accuracy, confidence: [low, high] }: Rate) => {
    if (right > n) return `expected at most ${n} right, got ${right}`;
    if (n > 0 && !close(accuracy, right / n)) return `expected accuracy ${right / n}, got ${accuracy}`;
    return low > accuracy + ROUNDING || high < accuracy - ROUNDING
      ? `expected accuracy ${accuracy} inside its confidence interval, got [${low}, ${high}]`
      : undefined;
  },
);

const contrast = object(
  {
    model: count,
    difference,
    interval: signedPair,
    pairs: optional(object({ both: count, onlyFirst: count, onlySecond: count, neither: count })),
    p: fraction,
    midP: optional(fraction),
    chiSquare: optional(object({ statistic: amount, p: fraction })),
    corrected: fraction,
    verdict: one(CONTRAST_VERDICTS),
  },
  (each: Contrast) => {
    const { corrected, p, verdict } = each;
    if (corrected < p - ROUNDING) return `expected a corrected p-value of at least ${p}, got ${corrected}`;
    const said = corrected < LEVEL && each.difference !== 0;
    const meant = said ? (each.difference > 0 ? 'higher' : 'lower') : 'no difference shown';
    return verdict === meant ? around(each) : `expected verdict ${meant}, got ${verdict}`;
  },
);

const classes = object({
  label: count,
  rates: list(
    object({ n: count, right: count }, ({ n, right }: { n: number; right: number }) =>
      right > n ? `expected at most ${n} right, got ${right}` : undefined,
    ),
  ),
  differences: list(object({ difference, interval: signedPair }, around)),
});

const row = object({
  kind: one(['clean', 'attack', 'worst']),
  attacks: list(name),
  norm: optional(one(RESULT_NORMS)),
  eps: optional(amount),
  rates: list(rate),
  contrasts: list(contrast),
  classes: optional(list(classes, 1000)),
});

/** What holds between models and rows: an entry for each model, and pairs that add up to the rates. */
function fitting({ models, rows, paired }: Comparison): string | undefined {
  if (models.length < 2) return `expected two models or more, got ${models.length}`;
  for (const [i, each] of rows.entries()) {
    const problem = misfit(each, models.length, paired);
    if (problem) return `rows[${i}]: ${problem}`;
  }
  return undefined;
}

function misfit(each: ComparisonRow, models: number, paired: boolean): string | undefined {
  const { kind, rates, contrasts, classes: byClass = [] } = each;
  if ((kind === 'clean') !== (each.norm === undefined) || (kind === 'clean') !== (each.eps === undefined))
    return 'expected norm and eps under attack and only there';
  const sides = [rates, ...byClass.map((one) => one.rates)];
  const later = [contrasts, ...byClass.map((one) => one.differences)];
  if (sides.some(({ length }) => length !== models) || later.some(({ length }) => length !== models - 1))
    return `expected an entry for each of ${models} models`;
  for (const [j, { model, difference: d, pairs }] of contrasts.entries()) {
    const [first, other] = [rates[0]!, rates[j + 1]!];
    if (model !== j + 1) return `expected contrasts in the order of the models, got ${model} in place ${j}`;
    if (!close(d, other.accuracy - first.accuracy)) return 'expected the difference of the two accuracies';
    if (paired !== (pairs !== undefined)) return 'expected pairs in a paired comparison and only there';
    const { both, onlyFirst, onlySecond, neither } = pairs ?? {
      both: 0,
      onlyFirst: 0,
      onlySecond: 0,
      neither: 0,
    };
    const sums = [both + onlyFirst, both + onlySecond, both + onlyFirst + onlySecond + neither];
    if (pairs && [first.right, other.right, first.n].some((given, k) => given !== sums[k]))
      return 'expected pairs that add up to the rates';
  }
  return undefined;
}

const comparison = object(
  {
    paired: truth,
    glacis: name,
    models: list(
      object({
        label: name,
        name,
        digest: name,
        file: text,
        status: one(['complete', 'partial']),
        seed: finite,
        glacis: name,
        startedAt: time,
        data: object({ digest: name, description: text, n: count }),
      }),
      12,
    ),
    classNames: optional(list(text)),
    rows: list(row, MOST_ROWS),
    notes: list(text),
  },
  fitting,
);

import type {
  Comparison,
  ComparisonRow,
  Contrast,
  ContrastVerdict,
} from '../../assess/compare/comparison.ts';
import { NORM_NAMES, radius } from '../format.ts';

const MINUS = '\u2212';

/** What a verdict is called. */
export const VERDICT_WORDS: Readonly<Record<ContrastVerdict, string>> = {
  higher: 'more right',
  lower: 'fewer right',
  'no difference shown': 'not shown',
};

/** A difference of fractions in percentage points, with its sign, e.g. "+7.2"; what rounds to nothing has none. */
export function points(difference: number): string {
  const size = Math.abs(difference * 100).toFixed(1);
  return size === '0.0' ? size : `${difference < 0 ? MINUS : '+'}${size}`;
}

/** An interval of differences in percentage points, e.g. "−1.0 to +2.4". */
export function pointsBetween([low, high]: readonly [number, number]): string {
  return `${points(low)} to ${points(high)}`;
}

/** A p-value with two digits; what is too small to matter how small is only said to be so. */
export function pValue(p: number): string {
  if (p < 0.0001) return '< 0.0001';
  return String(Number(p.toPrecision(p < 0.001 ? 1 : 2)));
}

/** "p = 0.031", "p < 0.0001". */
export function pSaid(p: number): string {
  const value = pValue(p);
  return value.startsWith('<') ? `p ${value}` : `p = ${value}`;
}

/** A budget, e.g. "Linf 0.1"; empty without an attack. */
export function budgetName({ norm, eps }: ComparisonRow): string {
  return norm === undefined || eps === undefined ? '' : `${NORM_NAMES[norm]} ${radius(eps)}`;
}

/** What a row is about, e.g. "under pgd at Linf 0.1". */
export function circumstance(row: ComparisonRow): string {
  if (row.kind === 'clean') return 'without an attack';
  return `${row.kind === 'worst' ? 'in the worst case' : `under ${row.attacks[0]}`} at ${budgetName(row)}`;
}

/** A contrast in one sentence; it claims a difference only where the test shows one. */
export function sentenceOf(comparison: Comparison, row: ComparisonRow, contrast: Contrast): string {
  const [first, later] = [comparison.models[0]!.label, comparison.models[contrast.model]!.label];
  const figures = `95 % confidence ${pointsBetween(contrast.interval)}; ${pSaid(contrast.corrected)}`;
  const size = Math.abs(contrast.difference * 100).toFixed(1);
  if (contrast.verdict === 'no difference shown') {
    return `No difference is shown between ${first} and ${later} ${circumstance(row)} (${points(contrast.difference)} points, ${figures}).`;
  }
  const direction = contrast.verdict === 'higher' ? 'more' : 'fewer';
  return `${later} keeps ${size} points ${direction} answers right than ${first} ${circumstance(row)} (${figures}).`;
}

/** One row for each budget: the worst case, or the only attack. */
export function budgetRows({ rows }: Comparison): readonly ComparisonRow[] {
  const groups = Map.groupBy(
    rows.filter(({ kind }) => kind !== 'clean'),
    budgetName,
  );
  return [...groups.values()].map((group) => group.find(({ kind }) => kind === 'worst') ?? group.at(-1)!);
}

/**
 * The row to look at more closely: of the first norm, the largest budget at which one of the models keeps an answer, as
 * nothing can be told apart beyond. It does not depend on what the difference is.
 *
 * @param models their places; all without
 */
export function telling(comparison: Comparison, ...models: readonly number[]): ComparisonRow | undefined {
  const all = budgetRows(comparison);
  const ofNorm = all.filter(({ norm }) => norm === all[0]!.norm).sort((a, b) => (a.eps ?? 0) - (b.eps ?? 0));
  const asked = ({ rates }: ComparisonRow) =>
    models.length === 0 ? rates : models.map((model) => rates[model]!);
  return ofNorm.findLast((row) => asked(row).some(({ right }) => right > 0)) ?? ofNorm.at(-1);
}

/** How a later model stands beside the first over all budgets. */
export type Standing = 'more' | 'less' | 'mixed' | 'open';

/** How the `j`-th model after the first stands; `more` and `less` where some budgets show it and none the reverse. */
export function standingOf(comparison: Comparison, j: number): Standing {
  const said = new Set(budgetRows(comparison).map(({ contrasts }) => contrasts[j]!.verdict));
  if (said.has('higher')) return said.has('lower') ? 'mixed' : 'more';
  return said.has('lower') ? 'less' : 'open';
}

/** The sentence to remember: what is shown, at how many budgets. */
export function headlineOf(comparison: Comparison): string {
  const [first, ...others] = comparison.models.map(({ label }) => label);
  const [only, ...more] = others.map((label, j) => clause(comparison, j, label, first!));
  if (more.length === 0) return `${only!.replace(/^n/, 'N')}.`;
  return `Beside ${first}: ${[only, ...more].join('; ').replaceAll(` than ${first}`, '')}.`;
}

function clause(comparison: Comparison, j: number, later: string, first: string): string {
  const all = budgetRows(comparison);
  const at = (verdict: ContrastVerdict) => all.filter(({ contrasts }) => contrasts[j]!.verdict === verdict);
  const [more, fewer] = [at('higher'), at('lower')];
  const [single, ...rest] = all;
  if (more.length + fewer.length === 0)
    return `no difference is shown between ${first} and ${later} at ${rest.length === 0 && single ? budgetName(single) : 'any budget'}`;
  if (single && rest.length === 0) {
    const size = Math.abs(single.contrasts[j]!.difference * 100).toFixed(1);
    return `${later} keeps ${size} points ${more.length > 0 ? 'more' : 'fewer'} answers right than ${first} at ${budgetName(single)}`;
  }
  const where = (rows: readonly ComparisonRow[]) =>
    rows.length === all.length
      ? 'at every budget'
      : rows.length === 1
        ? `at ${budgetName(rows[0]!)}`
        : `at ${rows.length} of ${all.length} budgets`;
  if (more.length > 0 && fewer.length > 0)
    return `${later} keeps more answers right than ${first} ${where(more)}, and fewer ${where(fewer)}`;
  return more.length > 0
    ? `${later} keeps more answers right than ${first} ${where(more)}`
    : `${later} keeps fewer answers right than ${first} ${where(fewer)}`;
}

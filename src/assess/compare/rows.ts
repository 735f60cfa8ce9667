import { holm } from '../../core/statistics/holm.ts';
import type { ResultNorm } from '../result.ts';
import { classRates } from './class-rates.ts';
import { type ComparisonRow, type ContrastVerdict, LEVEL } from './comparison.ts';
import { type OpenContrast, pairedContrast, type Rights, rateOf, unpairedContrast } from './contrast.ts';
import type { MatchedRuns } from './match-runs.ts';
import type { Side } from './side.ts';

/** A row before it is tested: who is right, one entry a side. */
interface OpenRow {
  readonly kind: ComparisonRow['kind'];
  readonly attacks: readonly string[];
  readonly norm?: ResultNorm;
  readonly eps?: number;
  readonly rights: readonly Rights[];
  /** Whether classes are looked at. */
  readonly classes: boolean;
}

/**
 * The rows of a comparison: clean, then for each budget every attack and, where there are several, their worst case. All
 * p-values are corrected together.
 */
export function rowsOf(
  sides: readonly Side[],
  matched: readonly MatchedRuns[],
  paired: boolean,
): readonly ComparisonRow[] {
  const open = [cleanRow(sides, matched), ...budgets(matched).flatMap(rowsAt)].map((row) =>
    paired ? onCommonSamples(row) : row,
  );
  const contrast = paired ? pairedContrast : unpairedContrast;
  const contrasts = open.map(({ rights: [first, ...others] }) =>
    others.map((each) => contrast(first!, each)),
  );
  const corrected = holm(contrasts.flat().map(({ p }) => p));
  let next = 0;
  return open.map((row, i) => {
    const { rights, classes, ...rest } = row;
    const rates = classes
      ? classRates(
          rights,
          sides.map(({ labels }) => labels),
          paired,
        )
      : undefined;
    return {
      ...rest,
      rates: rights.map(rateOf),
      contrasts: contrasts[i]!.map((each, j) => concluded(each, j + 1, corrected[next++]!)),
      ...(rates && { classes: rates }),
    };
  });
}

function concluded(contrast: OpenContrast, model: number, corrected: number) {
  const verdict: ContrastVerdict =
    corrected < LEVEL && contrast.difference !== 0
      ? contrast.difference > 0
        ? 'higher'
        : 'lower'
      : 'no difference shown';
  return { model, ...contrast, corrected, verdict };
}

function cleanRow(sides: readonly Side[], matched: readonly MatchedRuns[]): OpenRow {
  // Clean answers are complete before the first attack begins.
  return {
    kind: 'clean',
    attacks: [],
    rights: sides.map(({ cleanCorrect }) => cleanCorrect),
    classes: haveClasses(matched),
  };
}

/** The matched runs of each budget, in the order in which the budgets occur. */
function budgets(matched: readonly MatchedRuns[]): readonly (readonly MatchedRuns[])[] {
  return [...Map.groupBy(matched, ([run]) => `${run!.result.norm} ${run!.result.eps}`).values()];
}

function rowsAt(group: readonly MatchedRuns[]): readonly OpenRow[] {
  const { norm, eps } = group[0]![0]!.result;
  const classes = haveClasses(group);
  const attacks = group.map((runs): OpenRow => {
    const rights = runs.map(({ robust }) => robust);
    const last = group.length === 1;
    return { kind: 'attack', attacks: [runs[0]!.result.attack], norm, eps, rights, classes: last && classes };
  });
  if (group.length === 1) return attacks;
  const ids = [...new Set(group.map((runs) => runs[0]!.result.attack))];
  const rights = group[0]!.map((_, side) => survivorsOf(group.map((runs) => runs[side]!.robust)));
  return [...attacks, { kind: 'worst', attacks: ids, norm, eps, rights, classes }];
}

/** Who is right under every attack, over the samples that all of them have decided. */
function survivorsOf(all: readonly Rights[]): Rights {
  const n = Math.min(...all.map(({ length }) => length));
  return Uint8Array.from({ length: n }, (_, i) => (all.every((robust) => robust[i]) ? 1 : 0));
}

/** Cut to the samples that every side has answered: the first ones, as an unfinished run decides from the front. */
function onCommonSamples(row: OpenRow): OpenRow {
  const n = Math.min(...row.rights.map(({ length }) => length));
  return { ...row, rights: row.rights.map((each) => each.subarray(0, n)) };
}

/** A confusion matrix is there where labels are classes. */
function haveClasses(matched: readonly MatchedRuns[]): boolean {
  return matched.every((runs) => runs.every(({ result }) => result.confusion !== undefined));
}

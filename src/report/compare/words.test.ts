import { describe, expect, it } from 'vitest';
import { sampleComparison, sampleRow, sampleRows } from '../../assess/compare/comparison.fixture.ts';
import type { Comparison } from '../../assess/compare/comparison.ts';
import {
  budgetRows,
  headlineOf,
  points,
  pointsBetween,
  pSaid,
  pValue,
  sentenceOf,
  standingOf,
  telling,
} from './words.ts';

type Pairs = Parameters<typeof sampleRow>[1];

/** A comparison whose worst cases at eps 0.1, 0.2, … fall together like this. */
function withBudgets(...all: readonly Pairs[]): Comparison {
  return sampleComparison({
    rows: sampleRows([
      sampleRow({ kind: 'clean', attacks: [] }, [90, 5, 5, 0]),
      ...all.map((pairs, i) =>
        sampleRow({ kind: 'worst', attacks: ['fgsm', 'pgd'], norm: 'linf', eps: (i + 1) / 10 }, pairs),
      ),
    ]),
  });
}

const GAIN: Pairs = [40, 2, 40, 18];
const LOSS: Pairs = [40, 40, 2, 18];
const NONE: Pairs = [40, 20, 21, 19];

describe('figures', () => {
  it.each([
    [0.0723, '+7.2'],
    [-0.01, '−1.0'],
    [0.0004, '0.0'],
    [-0.0004, '0.0'],
    [0, '0.0'],
    [1, '+100.0'],
  ])('points(%d)', (difference, text) => {
    expect(points(difference)).toBe(text);
  });

  it('writes intervals with signs', () => {
    expect(pointsBetween([-0.012, 0.0236])).toBe('−1.2 to +2.4');
  });

  it.each([
    [1, '1'],
    [0.31415, '0.31'],
    [0.0499, '0.05'],
    [0.012, '0.012'],
    [0.000312, '0.0003'],
    [0.00005, '< 0.0001'],
    [0, '< 0.0001'],
  ])('pValue(%d)', (p, text) => {
    expect(pValue(p)).toBe(text);
    expect(pSaid(p)).toBe(text.startsWith('<') ? `p ${text}` : `p = ${text}`);
  });
});

describe('sentenceOf', () => {
  const said = (pairs: Pairs) => {
    const comparison = withBudgets(pairs);
    return sentenceOf(comparison, comparison.rows[1]!, comparison.rows[1]!.contrasts[0]!);
  };

  it('says how much more or less a model keeps, and how sure that is', () => {
    expect(said(GAIN)).toBe(
      'B keeps 38.0 points more answers right than A in the worst case at Linf 0.1 (95 % confidence +26.9 to +47.6; p < 0.0001).',
    );
    expect(said(LOSS)).toMatch(/^B keeps 38\.0 points fewer answers right than A .*−47\.6 to −26\.9/);
  });

  it('claims nothing without a p-value', () => {
    expect(said(NONE)).toMatch(/^No difference is shown between A and B .* \(\+1\.0 points, .*; p = 1\)\.$/);
    for (const pairs of [NONE, [94, 0, 5, 1], [100, 0, 0, 0]] as const)
      expect(said(pairs)).not.toMatch(/more|fewer/);
  });
});

describe('headlineOf', () => {
  it.each([
    [[GAIN], 'B keeps 38.0 points more answers right than A at Linf 0.1.', 'more'],
    [[LOSS], 'B keeps 38.0 points fewer answers right than A at Linf 0.1.', 'less'],
    [[NONE], 'No difference is shown between A and B at Linf 0.1.', 'open'],
    [[NONE, NONE], 'No difference is shown between A and B at any budget.', 'open'],
    [[GAIN, GAIN], 'B keeps more answers right than A at every budget.', 'more'],
    [[NONE, GAIN], 'B keeps more answers right than A at Linf 0.2.', 'more'],
    [[LOSS, LOSS, NONE], 'B keeps fewer answers right than A at 2 of 3 budgets.', 'less'],
    [[GAIN, LOSS], 'B keeps more answers right than A at Linf 0.1, and fewer at Linf 0.2.', 'mixed'],
  ] as const)('of %j', (budgets, headline, standing) => {
    const comparison = withBudgets(...(budgets as readonly Pairs[]));
    expect(headlineOf(comparison)).toBe(headline);
    expect(standingOf(comparison, 0)).toBe(standing);
  });

  it('names every later model', () => {
    const two = withBudgets(GAIN, NONE);
    const three: Comparison = {
      ...two,
      models: [...two.models, { ...two.models[1]!, label: 'C' }],
      rows: two.rows.map((row) => ({
        ...row,
        rates: [...row.rates, row.rates[0]!],
        contrasts: [
          ...row.contrasts,
          { ...row.contrasts[0]!, model: 2, verdict: 'no difference shown' as const },
        ],
      })),
    };
    expect(headlineOf(three)).toBe(
      'Beside A: B keeps more answers right at Linf 0.1; no difference is shown between A and C at any budget.',
    );
  });

  it('counts a budget once: its worst case, or its only attack', () => {
    expect(budgetRows(sampleComparison()).map(({ kind, eps }) => [kind, eps])).toEqual([
      ['worst', 0.1],
      ['worst', 0.05],
    ]);
    const alone = sampleComparison({ rows: sampleComparison().rows.slice(0, 2) });
    expect(budgetRows(alone).map(({ attacks }) => attacks)).toEqual([['fgsm']]);
  });
});

describe('telling', () => {
  it('looks at the largest budget at which a model keeps an answer', () => {
    const nothing: Pairs = [0, 0, 0, 100];
    expect(telling(withBudgets(GAIN, NONE, nothing))!.eps).toBe(0.2);
    expect(telling(withBudgets(GAIN))!.eps).toBe(0.1);
    expect(telling(withBudgets(nothing, nothing))!.eps).toBe(0.2);
    expect(telling(sampleComparison({ rows: [] }))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { planAttack } from '../attack/registry.ts';
import { type CellRecord, cellRecord, cleanRecord } from './record.ts';
import { type Cell, resultsOf, type SummaryFacts, worstCaseOf } from './summarise.ts';

const LABELS = Int32Array.of(0, 1, 2, 0, 1, 2);

function factsOf(correct: readonly number[]): SummaryFacts {
  const clean = cleanRecord('classification', 6, 3);
  clean.correct.set(correct);
  clean.prediction.set(LABELS);
  return { task: 'classification', classes: 3, bounds: [0, 1], labels: LABELS, clean };
}

const cell = (name: string): Cell => ({
  plan: planAttack({ name, options: {} }),
  measure: 'linf',
  eps: 0.1,
  radii: [0.1],
  perSample: `${name}.npz`,
});

/** A record in which the samples `fell` answer class 2 and the first `decided` samples are decided. */
function record(fell: readonly number[], decided = 6): CellRecord {
  const made = cellRecord('classification', 6, 3);
  made.prediction.set(LABELS);
  for (const i of fell) {
    made.success[i] = 1;
    made.prediction[i] = 2;
  }
  made.decided.fill(1, 0, decided);
  return made;
}

describe('resultsOf', () => {
  it('counts a sample that was wrong before as not robust', () => {
    const result = resultsOf(factsOf([1, 1, 1, 0, 1, 1]), cell('fgsm'), record([0, 1]))[0]!;
    expect([result.n, result.cleanAccuracy, result.robustAccuracy]).toEqual([6, 5 / 6, 3 / 6]);
    expect(result.confusion!.cells).toContainEqual([0, 2, 1]);
  });

  it('takes only the samples from the first on that are decided, and says so', () => {
    const partial = record([0, 4], 3);
    partial.decided[4] = 1;
    const result = resultsOf(factsOf([1, 1, 1, 1, 1, 1]), cell('fgsm'), partial)[0]!;
    expect([result.n, result.robustAccuracy]).toEqual([3, 2 / 3]);
    expect(result.notes).toEqual(['stopped early: the first 3 of 6 samples']);
  });

  it('gives nothing where nothing is decided', () => {
    expect(resultsOf(factsOf([1, 1, 1, 1, 1, 1]), cell('fgsm'), record([], 0))).toEqual([]);
  });
});

describe('worstCaseOf', () => {
  const facts = factsOf([1, 1, 1, 1, 1, 1]);

  it('counts a sample as robust only if every attack failed on it', () => {
    const group = [
      { cell: cell('fgsm'), record: record([0, 1]) },
      { cell: cell('pgd'), record: record([1, 3]) },
    ];
    const worst = worstCaseOf(facts, 0.1, group)!;
    expect(worst.robustAccuracy).toBe(3 / 6);
    expect(worst.attacks).toEqual(['fgsm', 'pgd']);
    for (const { cell: c, record: r } of group)
      expect(worst.robustAccuracy).toBeLessThanOrEqual(resultsOf(facts, c, r)[0]!.robustAccuracy);
  });

  it('leaves out attacks that have not begun and joins the rest on what all have decided', () => {
    const worst = worstCaseOf(facts, 0.1, [
      { cell: cell('fgsm'), record: record([0, 5]) },
      { cell: cell('bim'), record: record([1], 4) },
      { cell: cell('pgd'), record: record([], 0) },
    ])!;
    expect([worst.n, worst.robustAccuracy, worst.attacks]).toEqual([4, 2 / 4, ['fgsm', 'bim']]);
  });
});

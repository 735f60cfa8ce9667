import { describe, expect, it } from 'vitest';
import { planAttack } from '../attack/registry.ts';
import { clopperPearson } from '../core/statistics/clopper-pearson.ts';
import { NO_ANSWER } from './prediction.ts';
import { type CellRecord, cellRecord, cleanRecord } from './record.ts';
import { type Cell, resultsOf, type SummaryFacts, worstCaseOf } from './summarise.ts';

const LABELS = Int32Array.of(0, 1, 2, 0, 1, 2);

function factsOf(correct: readonly number[]): SummaryFacts {
  const clean = cleanRecord('classification', 6, 3);
  clean.correct.set(correct);
  clean.prediction.set(LABELS);
  return { task: 'classification', classes: 3, bounds: [0, 1], labels: LABELS, clean };
}

const ALL_RIGHT = factsOf([1, 1, 1, 1, 1, 1]);

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

/** The same with what each sample took, in queries and seconds. */
function timed(fell: readonly number[]): CellRecord {
  const made = record(fell);
  made.asked.set([10, 30, 100, 100, 20, 100]);
  made.took.set([0.5, 2, 9, 9, 1, 9]);
  return made;
}

describe('resultsOf', () => {
  it('counts a sample that was wrong before as not robust', () => {
    const result = resultsOf(factsOf([1, 1, 1, 0, 1, 1]), cell('fgsm'), record([0, 1]))[0]!;
    expect([result.n, result.cleanAccuracy, result.robustAccuracy]).toEqual([6, 5 / 6, 3 / 6]);
    expect(result.confidence).toEqual(clopperPearson(3, 6));
    expect(result.confusion!.cells).toContainEqual([0, 2, 1]);
  });

  it('counts the answers to each class, those under attack where it fell', () => {
    const result = resultsOf(ALL_RIGHT, cell('fgsm'), record([0, 1]))[0]!;
    const cells = [
      [0, 0, 1],
      [0, 2, 1],
      [1, 1, 1],
      [1, 2, 1],
      [2, 2, 2],
    ];
    expect(result.confusion).toEqual({ classes: 3, cells });
    expect(result.notes).toBeUndefined();
  });

  it('counts answers that are no numbers as wrong, and as no class', () => {
    const facts = factsOf([0, 1, 1, 1, 1, 1]);
    facts.clean.prediction[0] = NO_ANSWER;
    const silent = record([3]);
    silent.prediction[3] = NO_ANSWER;
    const result = resultsOf(facts, cell('fgsm'), silent)[0]!;
    expect([result.cleanAccuracy, result.robustAccuracy]).toEqual([5 / 6, 4 / 6]);
    expect(result.confusion!.cells).toEqual([
      [1, 1, 2],
      [2, 2, 2],
    ]);
    expect(result.notes).toEqual(['2 answers were no numbers: they count as wrong, and as no class']);
  });

  it('says how many queries and seconds it took until samples fell', () => {
    const result = resultsOf(ALL_RIGHT, cell('square'), timed([0, 1, 4]))[0]!;
    expect(result.queriesToSuccess).toEqual([10, 20, 30]);
    expect(result.secondsToSuccess).toEqual([0.5, 1, 2]);
    const none = resultsOf(ALL_RIGHT, cell('square'), timed([]))[0]!;
    expect(none).not.toHaveProperty('queriesToSuccess');
    expect(none).not.toHaveProperty('secondsToSuccess');
  });

  it('says which part of an attack broke how many', () => {
    const parts = record([0, 2, 4]);
    // Of AutoAttack's parts apgd-ce is the first and square the sixth; nobody said what broke sample 4.
    parts.by.set([1, 0, 6]);
    const result = resultsOf(ALL_RIGHT, cell('autoattack'), parts)[0]!;
    expect(result.parts!.map(({ fell }) => fell)).toEqual([1, 0, 0, 0, 0, 1]);
    expect([result.parts![0]!.attack, result.parts![5]!.attack]).toEqual(['apgd-ce', 'square']);
  });

  it('takes only the samples from the first on that are decided, and says so', () => {
    const partial = record([0, 4], 3);
    partial.decided[4] = 1;
    const result = resultsOf(ALL_RIGHT, cell('fgsm'), partial)[0]!;
    expect([result.n, result.robustAccuracy]).toEqual([3, 2 / 3]);
    expect(result.notes).toEqual(['stopped early: the first 3 of 6 samples']);
  });

  it('gives nothing where nothing is decided', () => {
    expect(resultsOf(ALL_RIGHT, cell('fgsm'), record([], 0))).toEqual([]);
  });
});

describe('an attack that looks for the nearest example', () => {
  const nearest: Cell = { ...cell('fmn'), eps: 0.5, radii: [0.125, 0.5] };
  const facts = factsOf([1, 1, 1, 0, 1, 1]);

  /** A record with examples at these distances, by sample. */
  function found(distances: Readonly<Record<number, number>>): CellRecord {
    const made = timed(Object.keys(distances).map(Number));
    for (const [i, far] of Object.entries(distances)) made.distance[Number(i)] = far;
    return made;
  }

  it('gives a result at every radius, from how far each example is', () => {
    const results = resultsOf(facts, nearest, found({ 0: 0.0625, 1: 0.25, 4: 0.75 }));
    expect(results.map((r) => [r.eps, r.robustAccuracy])).toEqual([
      [0.125, 4 / 6],
      [0.5, 3 / 6],
    ]);
    // What fell farther away is no success at this radius.
    expect(results.map((r) => r.queriesToSuccess![2])).toEqual([10, 30]);
  });

  it('has a median distance over the samples that were right, those without an example beyond all others', () => {
    const minimumOf = (distances: Readonly<Record<number, number>>) =>
      resultsOf(facts, nearest, found(distances))[0]!.minimum;
    expect(minimumOf({ 0: 0.0625, 1: 0.25, 4: 0.75 })).toEqual({
      n: 5,
      found: 3,
      quartiles: [0.25, 0.75, null],
    });
    expect(minimumOf({ 0: 0.0625 })).toEqual({ n: 5, found: 1, quartiles: [null, null, null] });
  });
});

describe('worstCaseOf', () => {
  it('counts a sample as robust only if every attack failed on it', () => {
    const group = [
      { cell: cell('fgsm'), record: record([0, 1]) },
      { cell: cell('pgd'), record: record([1, 3]) },
    ];
    const worst = worstCaseOf(ALL_RIGHT, 0.1, group)!;
    expect(worst.robustAccuracy).toBe(3 / 6);
    expect(worst.attacks).toEqual(['fgsm', 'pgd']);
    for (const { cell: c, record: r } of group)
      expect(worst.robustAccuracy).toBeLessThanOrEqual(resultsOf(ALL_RIGHT, c, r)[0]!.robustAccuracy);
  });

  it('leaves out attacks that have not begun and joins the rest on what all have decided', () => {
    const worst = worstCaseOf(ALL_RIGHT, 0.1, [
      { cell: cell('fgsm'), record: record([0, 5]) },
      { cell: cell('bim'), record: record([1], 4) },
      { cell: cell('pgd'), record: record([], 0) },
    ])!;
    expect([worst.n, worst.robustAccuracy, worst.attacks]).toEqual([4, 2 / 4, ['fgsm', 'bim']]);
  });
});

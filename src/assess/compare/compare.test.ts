import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { pairedDifference } from '../../core/statistics/difference.ts';
import { fisherExact } from '../../core/statistics/fisher.ts';
import { mcnemar } from '../../core/statistics/mcnemar.ts';
import { sampleAssessment } from '../result.fixture.ts';
import { compareAssessments } from './compare.ts';
import { type MadeSide, span, writeSide } from './side.fixture.ts';

const N = 100;
let home = '';
let next = 0;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'glacis-compare-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** Compares sides that are written for it. */
async function compared(sides: readonly MadeSide[], options = {}) {
  const folder = join(home, String(next++));
  const files: string[] = [];
  for (const [i, side] of sides.entries())
    files.push(await writeSide(join(folder, String(i), 'assessment.json'), side));
  return compareAssessments(files, options);
}

const before: MadeSide = {
  n: N,
  wrong: [99],
  runs: [
    { attack: 'fgsm', eps: 0.1, fell: span(0, 30) },
    { attack: 'pgd', eps: 0.1, fell: span(20, 60) },
  ],
};
const after: MadeSide = {
  n: N,
  wrong: [98],
  runs: [
    { attack: 'fgsm', eps: 0.1, fell: span(0, 5) },
    { attack: 'pgd', eps: 0.1, fell: [...span(50, 60), ...span(70, 75)] },
  ],
};

describe('compareAssessments', () => {
  it('counts who is right on which sample, and tests it', async () => {
    const { rows, paired, models } = await compared([before, after]);
    expect(paired).toBe(true);
    expect(models.map(({ label }) => label)).toEqual(['A', 'B']);
    expect(rows.map(({ kind, attacks }) => [kind, ...attacks])).toEqual([
      ['clean'],
      ['attack', 'fgsm'],
      ['attack', 'pgd'],
      ['worst', 'fgsm', 'pgd'],
    ]);
    const [clean, fgsm, pgd, worst] = rows.map(({ contrasts }) => contrasts[0]!);
    expect(clean!.pairs).toEqual({ both: 98, onlyFirst: 1, onlySecond: 1, neither: 0 });
    // Under fgsm, A loses 0–29 and 99, B loses 0–4 and 98.
    expect(fgsm!.pairs).toEqual({ both: 68, onlyFirst: 1, onlySecond: 26, neither: 5 });
    // Under pgd, A loses 20–59 and 99, B loses 50–59, 70–74 and 98.
    expect(pgd!.pairs).toEqual({ both: 53, onlyFirst: 6, onlySecond: 31, neither: 10 });
    // Both together, A loses 0–59 and 99, B loses 0–4, 50–59, 70–74 and 98.
    expect(worst!.pairs).toEqual({ both: 33, onlyFirst: 6, onlySecond: 46, neither: 15 });
    for (const each of [clean!, fgsm!, pgd!, worst!]) {
      expect(each.p).toBe(mcnemar(each.pairs!.onlyFirst, each.pairs!.onlySecond).p);
      expect(each.interval).toEqual(pairedDifference(each.pairs!).interval);
    }
    expect(rows[3]!.rates.map(({ right }) => right)).toEqual([39, 79]);
    expect(rows[3]!.rates[0]!.confidence).toEqual(clopperPearson(39, N));
  });

  it('corrects all p-values together and claims only what is below 0.05', async () => {
    const { rows } = await compared([before, after]);
    const all = rows.map(({ contrasts }) => contrasts[0]!);
    const sorted = [...all].sort((a, b) => a.p - b.p);
    expect(sorted[0]!.corrected).toBeCloseTo(sorted[0]!.p * 4, 15);
    expect(all.map(({ verdict }) => verdict)).toEqual(['no difference shown', 'higher', 'higher', 'higher']);
    const swapped = await compared([after, before]);
    expect(swapped.rows[3]!.contrasts[0]!.verdict).toBe('lower');
    expect(swapped.rows[3]!.contrasts[0]!.difference).toBeCloseTo(-0.4, 12);
  });

  it('does not claim what several tests together may show by chance', async () => {
    const none = { attack: 'fgsm', fell: [] };
    const { rows } = await compared([
      {
        n: N,
        runs: [{ ...none, eps: 0.1, fell: span(0, 6) }, ...[0.2, 0.3].map((eps) => ({ ...none, eps }))],
      },
      { n: N, runs: [0.1, 0.2, 0.3].map((eps) => ({ ...none, eps })) },
    ]);
    const contrast = rows[1]!.contrasts[0]!;
    expect(contrast.p).toBeCloseTo(2 / 2 ** 6, 12);
    expect(contrast.p).toBeLessThan(0.05);
    expect(contrast.corrected).toBeCloseTo((4 * 2) / 2 ** 6, 12);
    expect(contrast.verdict).toBe('no difference shown');
  });

  it('finds no difference between a model and itself', async () => {
    const { rows, notes } = await compared([before, before]);
    for (const { contrasts } of rows) {
      expect(contrasts[0]).toMatchObject({ difference: 0, p: 1, corrected: 1 });
      expect(contrasts[0]!.verdict).toBe('no difference shown');
    }
    expect(notes).toContain('A and B are the same model file.');
  });

  it('holds every later model against the first', async () => {
    const { rows, models } = await compared([before, after, before]);
    expect(models.map(({ label }) => label)).toEqual(['A', 'B', 'C']);
    expect(rows[3]!.contrasts.map(({ model, verdict }) => [model, verdict])).toEqual([
      [1, 'higher'],
      [2, 'no difference shown'],
    ]);
  });

  it('looks at every class', async () => {
    const { rows } = await compared([before, after]);
    // Odd samples are class 1: of them A loses 30 and 99, B loses 2, 5, 2 and none of 98.
    expect(rows[1]!.classes).toBeUndefined();
    const [zero, one] = rows[3]!.classes!;
    expect(zero!.rates).toEqual([
      { n: 50, right: 20 },
      { n: 50, right: 50 - 3 - 5 - 3 - 1 },
    ]);
    expect(one!.rates).toEqual([
      { n: 50, right: 19 },
      { n: 50, right: 50 - 2 - 5 - 2 },
    ]);
    expect(one!.differences[0]!.difference).toBeCloseTo((41 - 19) / 50, 12);
  });

  it('has no classes where labels are none', async () => {
    // A result without a confusion matrix is no classification.
    const runs = before.runs.map((run) => ({ ...run, more: { confusion: undefined } as object }));
    const without = await compared([
      { ...before, runs },
      { ...after, runs },
    ]);
    expect(without.rows.every(({ classes }) => classes === undefined)).toBe(true);
  });

  it('takes of unfinished assessments the samples that all have decided', async () => {
    const partial: MadeSide = {
      ...after,
      runs: [after.runs[0]!, { ...after.runs[1]!, decided: 40 }],
      more: { status: 'partial', statusReason: 'stopped by Ctrl-C' },
    };
    const { rows, notes } = await compared([before, partial]);
    expect(rows.map(({ rates }) => rates.map(({ n }) => n))).toEqual([
      [100, 100],
      [100, 100],
      [40, 40],
      [40, 40],
    ]);
    // Of the first 40, A loses 20–39 to pgd, B none.
    expect(rows[2]!.contrasts[0]!.pairs).toEqual({ both: 20, onlyFirst: 0, onlySecond: 20, neither: 0 });
    expect(notes.join(' ')).toContain('B was not finished (stopped by Ctrl-C)');
  });

  it('says what was not the same, and what was left out', async () => {
    const base = sampleAssessment();
    const other: MadeSide = {
      ...after,
      runs: [
        { ...after.runs[0]!, options: { steps: 3 } },
        after.runs[1]!,
        { attack: 'fgsm', eps: 0.4, fell: [] },
      ],
      more: {
        seed: 8,
        environment: { ...base.environment, glacis: '0.2.0' },
        findings: [{ ...base.findings[0]!, id: 'evasion/gradient-masking', title: 'Hidden' }],
      },
    };
    const { notes, rows } = await compared([before, other]);
    expect(rows.map(({ eps }) => eps)).not.toContain(0.4);
    expect(notes).toEqual([
      'A and B are the same model file.',
      expect.stringMatching(/^B: Hidden: .*overstated\.$/),
      'Seed: 7 in A, 8 in B.',
      'Version of Glacis: 0.1.0 in A, 0.2.0 in B.',
      'Options of fgsm at linf 0.1: steps=nothing in A, steps=3 in B.',
      'Left out, as not every model has it: fgsm at linf 0.4 of B.',
    ]);
  });

  it('prefers the run with the same options', async () => {
    const twice: MadeSide = {
      n: N,
      runs: [
        { attack: 'pgd', eps: 0.1, fell: span(0, 50), options: { steps: 100 } },
        { attack: 'pgd', eps: 0.1, fell: span(0, 10), options: { steps: 10 } },
      ],
    };
    const { rows, notes } = await compared([
      { n: N, runs: [{ attack: 'pgd', eps: 0.1, fell: span(0, 10), options: { steps: 10 } }] },
      twice,
    ]);
    expect(rows[1]!.contrasts[0]!.difference).toBe(0);
    expect(notes.at(-1)).toContain('pgd at linf 0.1 of B');
  });
});

describe('compareAssessments refuses', () => {
  it.each([
    [
      'other data',
      { more: { data: { ...sampleAssessment().data, n: N, digest: `sha256:${'0'.repeat(64)}` } } },
      /expected data sha256:a7a7.*assess both on the same file, or compare with --unpaired/,
    ],
    [
      'other samples',
      { indices: Int32Array.from(span(5, 105)) },
      /expected the 100 samples .* got others.*--n/,
    ],
    ['other labels', { labels: new Int32Array(N) }, /expected the labels .* got others/],
    ['another number of samples', { n: 99, wrong: [] }, /expected the 100 samples .* got 99 samples/],
    [
      'no attack in common',
      { runs: [{ attack: 'bim', eps: 0.1, fell: [] }] },
      /expected an attack with the same/,
    ],
  ])('%s', async (_, change, message) => {
    const refusal = compared([before, { ...before, ...change }]);
    await expect(refusal).rejects.toMatchObject({
      code: 'data/mismatch',
      message: expect.stringMatching(message),
    });
  });

  it('fewer than two assessments', async () => {
    await expect(compared([before])).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(compareAssessments([])).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('to go on when it is cancelled', async () => {
    await expect(compared([before, after], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});

describe('unpaired', () => {
  it('compares other samples with a test that knows of no pairs', async () => {
    const { rows, notes, paired } = await compared(
      [before, { ...after, n: 80, wrong: [79], indices: Int32Array.from(span(500, 580)) }],
      { unpaired: true },
    );
    expect(paired).toBe(false);
    const fgsm = rows[1]!;
    expect(fgsm.rates.map(({ n, right }) => [n, right])).toEqual([
      [100, 69],
      [80, 74],
    ]);
    expect(fgsm.contrasts[0]!.p).toBe(fisherExact([69, 100], [74, 80]));
    expect(fgsm.contrasts[0]!.pairs).toBeUndefined();
    expect(notes[0]).toContain('taken as unrelated');
  });

  it('sees less than pairs do', async () => {
    const [a, b] = [span(0, 20), span(0, 10)].map(
      (fell): MadeSide => ({ n: N, runs: [{ attack: 'fgsm', eps: 0.1, fell }] }),
    );
    const paired = await compared([a!, b!]);
    const unpaired = await compared([a!, b!], { unpaired: true });
    expect(paired.rows[1]!.contrasts[0]!.verdict).toBe('higher');
    expect(unpaired.rows[1]!.contrasts[0]!.verdict).toBe('no difference shown');
  });
});

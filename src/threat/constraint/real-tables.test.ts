import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../data/index.ts';
import { checkClean } from './clean-samples.ts';
import { holdsContract } from './contract.fixture.ts';
import { importance } from './importance.ts';
import { tabular } from './tabular.ts';

const folder = join(process.env.GLACIS_SHARED ?? '../shared', 'data', 'tabular');

/** All rows of a table, and its targets. */
async function table(name: string) {
  const dataset = await openDataset(join(folder, name));
  const rows = (await dataset.read(0, dataset.n)) as Float32Array;
  const [width] = dataset.sampleShape as [number];
  await dataset.close();
  const row = (seed: number) => rows.slice((seed % dataset.n) * width, ((seed % dataset.n) + 1) * width);
  return { rows, width, n: dataset.n, labels: dataset.labels!, row };
}

describe.skipIf(!existsSync(folder))('real tables (skipped without GLACIS_SHARED)', () => {
  it('breast cancer: a worst measure is never below its mean, sizes are positive', async () => {
    const { rows, width, row } = await table('breast-cancer.csv');
    const constraint = tabular({
      columns: Array.from({ length: width }, () => ({ min: 0, maxRelativeChange: 0.2 })),
      relations: Array.from({ length: 10 }, (_, i) => ({
        terms: [
          [20 + i, 1],
          [i, -1],
        ] as const,
        atLeast: 0,
        tolerance: 0,
      })),
    });
    checkClean(constraint, rows, width, (i) => i);
    const moved = holdsContract({ constraint, clean: row, eps: { linf: 50, l2: 100, l1: 200, l0: 10 } }, 60);
    expect(moved).toBeGreaterThan(0.9);
  });

  it('wine: as many decimals as each column has', async () => {
    const { rows, width, row } = await table('wine.csv');
    const steps = [0.01, 0.01, 0.01, 0.1, 1, 0.01, 0.01, 0.01, 0.01, 1e-6, 0.001, 0.01, 1];
    const constraint = tabular({ columns: steps.map((step) => ({ min: 0, step })) });
    checkClean(constraint, rows, width, (i) => i);
    const moved = holdsContract({ constraint, clean: row, eps: { linf: 1, l2: 3, l1: 5, l0: 4 } }, 60);
    expect(moved).toBeGreaterThan(0.9);
    // One decimal too few is noticed, with the row.
    const coarse = tabular({ columns: steps.map((step, i) => ({ step: i === 10 ? 0.01 : step })) });
    expect(() => checkClean(coarse, rows, width, (i) => i)).toThrow(
      'got sample 70: column 10 is not a multiple of 0.01',
    );
  });

  it('diabetes: a standardised sex stays one of its two values', async () => {
    const { rows, width, row } = await table('diabetes.csv');
    const [female, male] = [-0.044641636506989144, 0.05068011873981862];
    const std = 1 / (male - female);
    const columns = Array.from({ length: width }, (_, i) =>
      i === 1 ? { type: 'boolean' as const, mean: -female * std, std } : {},
    );
    const constraint = tabular({ columns });
    checkClean(constraint, rows, width, (i) => i);
    const moved = holdsContract({ constraint, clean: row, eps: { linf: 0.12, l2: 0.2, l1: 0.3, l0: 4 } }, 60);
    expect(moved).toBeGreaterThan(0.9);
    // Body mass index and s5 tell most about the target, as in the literature on this table.
    const { labels } = await table('diabetes.csv');
    const weights = importance(rows, width, labels);
    const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]!);
    expect(order.slice(0, 2)).toEqual([2, 8]);
  });
});

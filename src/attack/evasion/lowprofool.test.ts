import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../data/index.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { importance } from '../../threat/constraint/importance.ts';
import { tabular } from '../../threat/constraint/tabular.ts';
import { binaryGoal, classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { hiddenModel, linearModel, randomRows } from '../../threat/small-model.fixture.ts';
import { costOf } from '../cost-plane.ts';
import { attackModel } from '../model-run.fixture.ts';
import { columnCosts } from './column-costs.ts';
import { lowProFool } from './lowprofool.ts';

const D = 6;
const N = 40;
const W = [1.2, -0.5, 0.8, 0.3, -0.9, 0];
/** Columns of very different units, and one that never changes. */
const UNITS = [1, 100, 0.01, 10, 1, 0];
const standard = randomRows('lowprofool', N, D, -1.7, 1.7);
const x0 = standard.map((v, i) => (UNITS[i % D] ? v * UNITS[i % D]! : 0.7));
const labels = Int32Array.from({ length: N }, (_, i) =>
  W.reduce((sum, w, j) => sum + w * standard[i * D + j]!, 0.1) > 0 ? 1 : 0,
);
const model = linearModel(
  W.map((w, j) => (UNITS[j] ? w / UNITS[j]! : 0.5)),
  [0.1 - 0.5 * 0.7],
);
const goal = binaryGoal(labels);
const open: Omit<Ball, 'norm'> = { eps: 1, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const row = (rows: Float32Array, i: number) => rows.subarray(i * D, (i + 1) * D);

describe.each(['l2', 'l1', 'linf'] as const)('LowProFool in %s', (norm) => {
  it.each(['pearson', 'equal'] as const)(
    'comes within 1 % of the cheapest change of a linear model, columns weighed as %s',
    async (weighing) => {
      const options = { importance: weighing };
      const { x, reached } = await attackModel(engine, model, lowProFool, goal, { ...open, norm }, x0, {
        options,
      });
      const { spread, weights } = columnCosts({ x0, goal }, D, 1, weighing === 'equal');
      for (let i = 0; i < N; i++) {
        expect(reached.get(i), `row ${i}`).toBe(true);
        const change = row(x, i).map((v, j) => (spread[j]! > 0 ? (v - row(x0, i)[j]!) / spread[j]! : 0));
        const logit = W.reduce((sum, w, j) => sum + w * row(standard, i)[j]!, 0.1);
        const gain = W.slice(0, 5).map((w, j) => Math.abs(((w / UNITS[j]!) * spread[j]!) / weights[j]!));
        const dual = {
          l2: Math.hypot(...gain),
          l1: Math.max(...gain),
          linf: gain.reduce((a, b) => a + b, 0),
        };
        const cost = costOf(norm, weights, change);
        expect(cost).toBeGreaterThan((0.999 * Math.abs(logit)) / dual[norm] - 1e-4);
        expect(cost).toBeLessThan((1.01 * Math.abs(logit)) / dual[norm] + 1e-4);
        // The constant column stays.
        expect(row(x, i)[5]).toBe(row(x0, i)[5]);
      }
    },
  );
});

describe('LowProFool', () => {
  it.each(['l2', 'linf'] as const)(
    'changes telling columns less than the plainly nearest example does (%s)',
    async (norm) => {
      const change = async (weighing: 'pearson' | 'equal') => {
        const { x } = await attackModel(engine, model, lowProFool, goal, { ...open, norm }, x0, {
          options: { importance: weighing },
        });
        const { weights, spread } = columnCosts({ x0, goal }, D, 1, false);
        const total = new Float32Array(D);
        for (let i = 0; i < N * D; i++)
          if (spread[i % D]! > 0) total[i % D]! += Math.abs(x[i]! - x0[i]!) / spread[i % D]!;
        const telling = weights.indexOf(Math.max(...weights));
        return total[telling]! / total.reduce((a, b) => a + b, 0);
      };
      expect(await change('pearson')).toBeLessThan(0.9 * (await change('equal')));
    },
  );

  it('weighs columns by their correlation with the class of the row', () => {
    const { weights, spread } = columnCosts({ x0, goal }, D, 1, false);
    const expected = importance(x0, D, labels);
    const sum = expected.reduce((a, b) => a + b, 0);
    for (let j = 0; j < D; j++) expect(weights[j]).toBeCloseTo(expected[j]! / sum, 9);
    expect(spread[5]).toBe(0);
    expect(spread[1]).toBeGreaterThan(80);
  });

  it('works with several classes, and without a gradient at the row itself', async () => {
    const hidden = hiddenModel(D, 12, 3);
    const classes = classificationGoal(
      Int32Array.from({ length: N }, (_, i) => i % 3),
      3,
    );
    const ball: Ball = { ...open, norm: 'l2' };
    const { reached } = await attackModel(engine, hidden, lowProFool, classes, ball, standard);
    expect([...reached.values()].filter(Boolean).length).toBeGreaterThan(0.9 * N);
  });

  it('keeps to what rows must satisfy', async () => {
    const constraint = tabular({
      columns: Array.from({ length: D }, (_, j) => ({
        ...(j === 0 && { immutable: true }),
        ...(j === 1 && { step: 1, min: -1000, max: 1000 }),
        ...(j === 3 && { direction: 'up' as const }),
      })),
    });
    const rows = x0.map((v, i) => (i % D === 1 ? Math.round(v) : v));
    const ball: Ball = { ...open, norm: 'l2', constraint };
    const { x, reached } = await attackModel(engine, model, lowProFool, goal, ball, rows);
    expect([...reached.values()].filter(Boolean).length).toBeGreaterThan(N / 2);
    for (let i = 0; i < N; i++) {
      expect(constraint.violation(x, i * D, rows, i * D, D)).toBeUndefined();
      expect(row(x, i)[0]).toBe(row(rows, i)[0]);
    }
  });
});

const file = join(process.env.GLACIS_SHARED ?? '../shared', 'data', 'tabular', 'breast-cancer.csv');

describe.skipIf(!existsSync(file))(
  'LowProFool on the breast cancer table (skipped without GLACIS_SHARED)',
  () => {
    it('finds benign-looking changes that a logistic model falls for, and spares what tells most', async () => {
      const dataset = await openDataset(file);
      const n = dataset.n;
      const rows = (await dataset.read(0, n)) as Float32Array;
      const truth = Int32Array.from(dataset.labels!);
      await dataset.close();
      const width = rows.length / n;
      const { w, bias } = logistic(rows, width, truth);
      const answer = (x: Float32Array, i: number) => {
        let z = bias;
        for (let j = 0; j < width; j++) z += w[j]! * x[i * width + j]!;
        return z > 0 ? 1 : 0;
      };
      const right = Array.from({ length: n }, (_, i) => i).filter((i) => answer(rows, i) === truth[i]);
      expect(right.length / n).toBeGreaterThan(0.95);
      const todo = right.slice(0, 60);
      const attack = async (weighing: 'pearson' | 'equal') => {
        const options = { importance: weighing };
        const goalOfTable = binaryGoal(truth);
        const ball: Ball = { ...open, norm: 'l2', bounds: [0, 5000] };
        return attackModel(engine, linearModel(w, [bias]), lowProFool, goalOfTable, ball, rows, {
          options,
          todo,
        });
      };
      const weights = importance(rows, width, truth);
      const { spread } = columnCosts({ x0: rows, goal: binaryGoal(truth) }, width, 1, false);
      const cost = ({ x }: { readonly x: Float32Array }) =>
        todo.reduce((sum, i) => {
          const change = Float32Array.from(
            { length: width },
            (_, j) => (x[i * width + j]! - rows[i * width + j]!) / spread[j]!,
          );
          return sum + costOf('l2', weights, change);
        }, 0);
      const [weighed, plain] = [await attack('pearson'), await attack('equal')];
      for (const i of todo) expect(weighed.reached.get(i), `row ${i}`).toBe(true);
      expect(cost(weighed)).toBeLessThan(0.9 * cost(plain));
    });
  },
);

/** Logistic regression by gradient descent on standardised columns, given in the table's own units. */
function logistic(rows: Float32Array, width: number, truth: Int32Array): { w: number[]; bias: number } {
  const n = truth.length;
  const mean = new Float64Array(width);
  const { spread } = columnCosts({ x0: rows, goal: binaryGoal(truth) }, width, 1, false);
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / n;
  const at = (i: number, j: number) => (rows[i * width + j]! - mean[j]!) / spread[j]!;
  const v = new Float64Array(width);
  let b = 0;
  for (let step = 0; step < 150; step++) {
    const slope = new Float64Array(width);
    let slopeOfB = 0;
    for (let i = 0; i < n; i++) {
      let z = b;
      for (let j = 0; j < width; j++) z += v[j]! * at(i, j);
      const off = 1 / (1 + Math.exp(-z)) - truth[i]!;
      slopeOfB += off / n;
      for (let j = 0; j < width; j++) slope[j]! += (off * at(i, j)) / n;
    }
    b -= 0.5 * slopeOfB;
    for (let j = 0; j < width; j++) v[j]! -= 0.5 * (slope[j]! + 0.001 * v[j]!);
  }
  const w = Array.from(v, (value, j) => value / spread[j]!);
  return { w, bias: b - w.reduce((sum, value, j) => sum + value * mean[j]!, 0) };
}

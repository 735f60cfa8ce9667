import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attackExamples } from '../../src/assess/attack-examples.ts';
import { openDataset, writeNpz } from '../../src/data/index.ts';
import { graph, model, node, value } from '../../src/onnx/model.fixture.ts';
import { float32Tensor } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write.ts';
import type { Norm } from '../../src/threat/norm.ts';
import { randomRows } from '../../src/threat/small-model.fixture.ts';

/** Rows of each kind. */
export const N = 24;

/** Rows of one kind, what they must satisfy, and that again as a program that knows nothing of constraint files. */
export interface Kind {
  readonly rows: Float32Array;
  /** Values of one row. */
  readonly size: number;
  /** How they are stored. */
  readonly dims: readonly number[];
  readonly eps: number;
  readonly range: readonly [number, number];
  readonly constraints: readonly object[];
  /** The first thing that is wrong with an example. */
  wrong(x: Float32Array, clean: Float32Array): string | undefined;
}

const uniform = randomRows('constraints', N, 40);
const u = (row: number, column: number) => uniform[row * 40 + column]!;

/** Age (whole, grows), income (cents), debt (only shrinks, at most 3 incomes), sex (fixed), one job of three. */
export const table: Kind = {
  size: 7,
  dims: [7],
  eps: 4,
  range: [0, 100],
  rows: Float32Array.from({ length: N * 7 }, (_, i) => {
    const [row, column] = [Math.floor(i / 7), i % 7];
    const income = Math.fround(Math.round(1000 + 2000 * u(row, 1)) / 100);
    if (column === 0) return 20 + Math.floor(40 * u(row, 0));
    if (column === 1) return income;
    if (column === 2) return Math.fround(income * (0.5 + u(row, 2)));
    if (column === 3) return row % 2;
    return column - 4 === row % 3 ? 1 : 0;
  }),
  constraints: [
    {
      type: 'tabular',
      columns: [
        { column: 0, type: 'integer', min: 18, max: 100, direction: 'up' },
        { column: 1, min: 0, step: 0.01, maxChange: 3 },
        { column: 2, min: 0, direction: 'down' },
        { column: 3, immutable: true },
      ],
      oneHot: [[4, 5, 6]],
      relations: [{ terms: { 2: 1, 1: -3 }, atMost: 0 }],
    },
  ],
  wrong(x, clean) {
    const [age, income, debt, sex, ...job] = x as unknown as readonly [number, number, number, number];
    if (!(Number.isInteger(age) && age >= clean[0]! && age <= 100)) return `age ${age}`;
    if (Math.abs(income - Math.round(income * 100) / 100) > 1e-5) return `income ${income}`;
    if (Math.abs(income - clean[1]!) > 3 + 1e-4) return `income moved to ${income}`;
    if (!(debt >= 0 && debt <= clean[2]!)) return `debt ${debt}`;
    if (debt > 3 * income + 1e-3) return 'too much debt';
    if (sex !== clean[3]) return 'sex';
    if (job.toSorted().join() !== '0,0,1') return `job ${job.join()}`;
    return undefined;
  },
};

const STEPS = 6;
/** Open, high, low and close of six bars, of which the last two may move, by half a percent. */
export const bars: Kind = {
  size: STEPS * 4,
  dims: [STEPS, 4],
  eps: 3,
  range: [0, 1000],
  rows: Float32Array.from({ length: N * STEPS * 4 }, (_, i) => {
    const [row, step, column] = [Math.floor(i / (STEPS * 4)), Math.floor(i / 4) % STEPS, i % 4];
    const open = 100 + 4 * u(row, step);
    const close = 100 + 4 * u(row, step + 10);
    if (column === 0) return Math.fround(Math.round(open * 100) / 100);
    if (column === 3) return Math.fround(Math.round(close * 100) / 100);
    const edge = column === 1 ? Math.max(open, close) + 0.5 : Math.min(open, close) - 0.5;
    return Math.fround(Math.round(edge * 100) / 100);
  }),
  constraints: [
    {
      type: 'series',
      names: ['open', 'high', 'low', 'close'],
      last: 2,
      columns: [
        {
          columns: ['open', 'high', 'low', 'close'],
          positive: true,
          step: 0.01,
          maxRelativeChange: 0.005,
          maxJump: 10,
        },
      ],
      candles: [{ open: 'open', high: 'high', low: 'low', close: 'close' }],
    },
  ],
  wrong(x, clean) {
    for (let step = 0; step < STEPS; step++) {
      const [open, high, low, close] = x.subarray(4 * step) as unknown as readonly [
        number,
        number,
        number,
        number,
      ];
      if (high < Math.max(open, close) || low > Math.min(open, close)) return `candle ${step}`;
      for (let column = 0; column < 4; column++) {
        const [v, before] = [x[4 * step + column]!, clean[4 * step + column]!];
        if (step < STEPS - 2 && v !== before) return `an old point, ${step}`;
        if (!(v > 0)) return 'a price below 0';
        if (Math.abs(v - before) > 0.005 * before + 1e-3) return `${before} moved to ${v}`;
        if (Math.abs(v - Math.round(v * 100) / 100) > 1e-4) return `${v} is no price`;
        if (step > 0 && Math.abs(v - x[4 * step - 4 + column]!) > 10 + 1e-3) return `a jump at ${step}`;
      }
    }
    return undefined;
  },
};

/** A feed of one value whose points may come late, by up to three steps, and at most two of them. */
export const feed: Kind = {
  size: 12,
  dims: [12, 1],
  eps: 2,
  range: [-2, 2],
  rows: Float32Array.from({ length: N * 12 }, (_, i) => 2 * u(Math.floor(i / 12), i % 12) - 1),
  constraints: [{ type: 'series', maxPoints: 2, stale: { maxDelay: 3 } }],
  wrong(x, clean) {
    let moved = 0;
    for (const [step, v] of x.entries()) {
      if (v === clean[step]) continue;
      moved++;
      if (!clean.subarray(Math.max(0, step - 3), step).includes(v)) return `${v} was never there`;
    }
    return moved > 2 ? `${moved} points` : undefined;
  },
};

/** Pictures of 8 bits, of which only a corner may change. */
export const pictures: Kind = {
  size: 36,
  dims: [1, 6, 6],
  eps: 0.5,
  range: [0, 1],
  rows: Float32Array.from({ length: N * 36 }, (_, i) =>
    Math.fround(Math.round(255 * u(Math.floor(i / 36), i % 36)) / 255),
  ),
  constraints: [{ type: 'mask', boxes: [{ top: 1, left: 2, height: 4, width: 3 }] }, { type: '8-bit' }],
  wrong(x, clean) {
    for (const [i, v] of x.entries()) {
      const [row, column] = [Math.floor(i / 6), i % 6];
      if (v !== clean[i] && (row < 1 || row > 4 || column < 2 || column > 4)) return `pixel ${i}`;
      if (v !== Math.fround(Math.round(255 * v) / 255)) return `${v} is no level`;
    }
    return undefined;
  },
};

/** An attack with its options, and the norm in which it looks. */
export type Way = readonly [name: string, options: Readonly<Record<string, number>>, norm: Norm];

/** What an attack makes of the rows, with its files in the folder `home`, on a linear model that is right about all of them. */
export async function made(home: string, kind: Kind, [name, options, norm]: Way, isFree = false) {
  const at = (name: string) => join(home, name);
  const { rows, size, dims, eps, range, constraints } = kind;
  const w = Array.from(
    { length: size },
    (_, i) => Math.sin(1 + 1.7 * i) / (dims.length === 2 ? 1 : 1 + (i % 3)),
  );
  const score = (i: number) => w.reduce((sum, v, k) => sum + v * rows[i * size + k]!, 0);
  const scores = Array.from({ length: N }, (_, i) => score(i));
  const middle = scores.toSorted((a, b) => a - b)[N / 2]! - 1e-3;
  await writeModel(
    at('model.onnx'),
    model(
      graph({
        inputs: [value('x', ['N', ...dims])],
        outputs: [value('z', ['N', 2])],
        nodes: [node('Flatten', ['x'], ['flat']), node('Gemm', ['flat', 'w', 'bias'], ['z'])],
        initializers: {
          w: float32Tensor(
            [size, 2],
            w.flatMap((v) => [-v, v]),
          ),
          bias: float32Tensor([2], [middle, -middle]),
        },
      }),
    ),
  );
  const y = Int32Array.from(scores, (z) => (z > middle ? 1 : 0));
  await writeNpz(at('data.npz'), { x: { data: rows, shape: [N, ...dims] }, y: { data: y, shape: [N] } });
  writeFileSync(at('must.json'), JSON.stringify({ schema: 'glacis.constraints/1', constraints }));
  const summary = await attackExamples({
    model: at('model.onnx'),
    data: at('data.npz'),
    attack: { name, options },
    norm,
    eps: { linf: eps, l2: 3 * eps, l1: 6 * eps, l0: 4 }[norm],
    range,
    out: at('adv.npz'),
    threads: 1,
    ...(!isFree && { constraint: at('must.json') }),
  });
  const adv = await openDataset(at('adv.npz'));
  const x = Float32Array.from(await adv.read(0, N), Number);
  await adv.close();
  const row = (values: Float32Array, i: number) => values.subarray(i * size, (i + 1) * size);
  const wrong = Array.from({ length: N }, (_, i) => kind.wrong(row(x, i), row(rows, i))).filter(
    (w) => w !== undefined,
  );
  return { x, wrong, ...summary };
}

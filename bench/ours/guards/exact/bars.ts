import { type Rng, randomFrom } from '../../../../src/core/random.ts';
import { FROZEN, type Part } from './frozen.ts';
import type { World } from './world.ts';

const { bars: BARS } = FROZEN.market;
const NAMES = ['open', 'high', 'low', 'close'];

/** Windows of 16 made-up bars about a price of 100, in cents; the class is the market's mood at the end. */
export function barsWorld(part: Part): World {
  const { train, threshold, final } = FROZEN.bars;
  const rng = randomFrom(FROZEN.seeds[part], 'bars');
  const rows: Float64Array[] = [];
  const labels: number[] = [];
  for (let i = 0; i < train + threshold + final; i++) {
    const { row, label } = windowOf(rng.fork(i));
    rows.push(row);
    labels.push(label);
  }
  const spreadOf = () => largestReturn;
  return {
    name: 'bars',
    dims: [BARS, 4],
    rows,
    labels,
    mean: Array<number>(4 * BARS).fill(100),
    std: Array<number>(4 * BARS).fill(1),
    spreadOf,
    file: (_, limit) => ({
      type: 'series',
      layout: 'time-first',
      names: NAMES,
      columns: [
        {
          columns: NAMES,
          positive: true,
          step: 0.01,
          mean: 100,
          std: 1,
          ...(limit !== undefined && { maxReturn: limit }),
        },
      ],
      candles: [{ open: 'open', high: 'high', low: 'low', close: 'close' }],
    }),
    accidents: {
      'a bar of zeros': (row, rng) => bar(row, rng.integer(BARS), () => 0),
      'a price ten times as large': (row, rng) => one(row, rng.integer(4 * BARS), (v) => 10 * v),
      'high and low swapped in a bar': (row, rng) => {
        const t = rng.integer(BARS);
        return bar(row, t, (_, c) => row[4 * t + [0, 2, 1, 3][c]!]!);
      },
      'a bar of another window': (row, rng, other) => {
        const t = rng.integer(BARS);
        return bar(row, t, (_, c) => other[4 * t + c]!);
      },
      'the last bar twice': (row) => bar(row, BARS - 1, (_, c) => row[4 * (BARS - 2) + c]!),
      'noise, a tenth of a step': (row, rng) =>
        row.map((v) => v + 0.1 * FROZEN.market.step * v * rng.normal()),
      'not standardised': (row) => row.map((v) => v + 100),
    },
  };
}

function windowOf(rng: Rng): { readonly row: Float64Array; readonly label: number } {
  const { step, drift, turns } = FROZEN.market;
  const cents = (value: number) => Math.round(100 * value) / 100;
  const row = new Float64Array(4 * BARS);
  let mood = rng.integer(2);
  let close = 100 * Math.exp(0.05 * rng.normal());
  for (let t = 0; t < BARS; t++) {
    if (rng.uniform() < turns) mood = 1 - mood;
    const open = close * (1 + 0.1 * step * rng.normal());
    close = open * Math.exp(drift * (2 * mood - 1) + step * rng.normal());
    const edge = () => 0.5 * step * Math.abs(rng.normal());
    const high = Math.max(open, close) * (1 + edge());
    const low = Math.min(open, close) * (1 - edge());
    row.set([open, high, low, close].map(cents), 4 * t);
  }
  return { row, label: mood };
}

/** The largest share by which a column changes from one bar to the next. */
function largestReturn(row: Float64Array): number {
  let most = 0;
  for (let i = 4; i < row.length; i++) most = Math.max(most, Math.abs(row[i]! / row[i - 4]! - 1));
  return most;
}

const one = (row: Float64Array, at: number, to: (value: number) => number): Float64Array =>
  row.map((v, i) => (i === at ? to(v) : v));

const bar = (row: Float64Array, t: number, to: (value: number, column: number) => number): Float64Array =>
  row.map((v, i) => (i >> 2 === t ? to(v, i & 3) : v));

import { type Rng, randomFrom } from '../../../../src/core/random.ts';
import { FROZEN, type Part } from './frozen.ts';
import { farthest, rangeOf, spreadsOf, type World } from './world.ts';

/** Columns of a made-up credit application, in their order. */
const NAMES = [
  'age',
  'income',
  'savings',
  'debt',
  'instalment',
  'share secured',
  'share unsecured',
  'cards',
  'owns car',
  'job: none',
  'job: worker',
  'job: clerk',
  'job: own firm',
] as const;

/** Columns whose range is learnt, and what is known of it. */
const RANGED = [0, 1, 2, 3, 7] as const;
const KNOWN: Readonly<Record<number, { readonly min: number; readonly max?: number }>> = {
  0: { min: 18, max: 100 },
  1: { min: 0 },
  2: { min: 0 },
  3: { min: 0 },
  5: { min: 0, max: 1 },
  6: { min: 0, max: 1 },
  7: { min: 0 },
};
const MEAN = [42, 3400, 10_000, 12_000, 200, 0, 0, 2, 0, 0, 0, 0, 0];
const STD = [14, 1800, 15_000, 14_000, 14_000 / 60, 1, 1, 2, 1, 1, 1, 1, 1];

/** A table of credit applications that is made up: whole numbers, cents, a group of jobs, shares that add up to 1, an instalment that is a sixtieth of the debt. */
export function creditWorld(part: Part): World {
  const { train, threshold, final } = FROZEN.credit;
  const rng = randomFrom(FROZEN.seeds[part], 'credit');
  const rows: Float64Array[] = [];
  const labels: number[] = [];
  for (let i = 0; i < train + threshold + final; i++) {
    const { row, label } = application(rng.fork(i));
    rows.push(row);
    labels.push(label);
  }
  return {
    name: 'credit',
    dims: [NAMES.length],
    rows,
    labels,
    mean: MEAN,
    std: STD,
    spreadOf(known) {
      const spreads = spreadsOf(known, RANGED);
      return (row) => farthest(row, RANGED, spreads);
    },
    file(known, limit) {
      const spreads = spreadsOf(known, RANGED);
      const columns = NAMES.slice(0, 9).map((_, column) => {
        const at = RANGED.indexOf(column as (typeof RANGED)[number]);
        const range =
          at >= 0 && limit !== undefined ? rangeOf(spreads[at]!, limit, KNOWN[column]) : KNOWN[column];
        const scale = { mean: MEAN[column], std: STD[column] };
        const kind =
          column === 8
            ? { type: 'boolean' }
            : column === 0 || column === 7
              ? { type: 'integer' }
              : { step: column < 5 ? 0.01 : 0.001 };
        return { column, ...kind, ...range, ...scale };
      });
      return {
        type: 'tabular',
        columns,
        oneHot: [[9, 10, 11, 12]],
        relations: [
          { terms: { 3: 1, 4: -60 }, equals: 0, tolerance: 0.31 },
          { terms: { 5: 1, 6: 1 }, equals: 1, tolerance: 0.0001 },
        ],
      };
    },
    accidents: {
      'a column is missing: −1': (row, rng) => changed(row, rng.integer(9), () => -1),
      'a column is missing: 0': (row, rng) => changed(row, rng.integer(9), () => 0),
      'a number a hundredfold': (row, rng) => changed(row, rng.integer(5), (v) => 100 * v),
      'two columns swapped': (row, rng) => swapped(row, rng, 9),
      'noise, a tenth of a deviation': (row, rng) => row.map((v, i) => v + 0.1 * STD[i]! * rng.normal()),
      'a whole other row': (_row, _rng, other) => other,
      'not standardised': (row) => row.map((v, i) => v * STD[i]! + MEAN[i]!),
    },
  };
}

function application(rng: Rng): { readonly row: Float64Array; readonly label: number } {
  const cents = (value: number) => Math.round(100 * value) / 100;
  const age = Math.min(90, Math.max(18, Math.round(42 + 14 * rng.normal())));
  const income = cents(Math.exp(8 + 0.5 * rng.normal()));
  const savings = cents(Math.exp(8.5 + 1.2 * rng.normal()));
  const debt = cents(12 * income * rng.uniform() ** 2);
  const secured = Math.round(1000 * rng.uniform()) / 1000;
  const cards = Math.min(20, Math.floor(-2 * Math.log(1 - rng.uniform())));
  const car = rng.integer(2);
  const job = rng.integer(4);
  const row = new Float64Array(NAMES.length);
  row.set([age, income, savings, debt, cents(debt / 60), secured]);
  row[6] = Math.round(1000 - 1000 * secured) / 1000;
  row.set([cards, car], 7);
  row[9 + job] = 1;
  const score =
    (income - 3400) / 1800 -
    (1.5 * debt) / (6 * income) +
    0.5 * secured +
    (0.3 * (age - 42)) / 14 +
    0.3 * Math.log(savings / 5000) +
    [-0.5, 0, 0.1, 0.3][job]! +
    0.4;
  return { row, label: score + FROZEN.creditNoise * rng.normal() > 0 ? 1 : 0 };
}

function changed(row: Float64Array, column: number, to: (value: number) => number): Float64Array {
  const copy = row.slice();
  copy[column] = to(copy[column]!);
  return copy;
}

function swapped(row: Float64Array, rng: Rng, columns: number): Float64Array {
  const copy = row.slice();
  const a = rng.integer(columns);
  const b = (a + 1 + rng.integer(columns - 1)) % columns;
  [copy[a], copy[b]] = [copy[b]!, copy[a]!];
  return copy;
}

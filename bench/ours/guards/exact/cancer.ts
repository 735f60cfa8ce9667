import { join } from 'node:path';
import { randomFrom } from '../../../../src/core/random.ts';
import { openDataset } from '../../../../src/data/index.ts';
import { SHARED } from '../../../places.ts';
import { FROZEN, type Part } from './frozen.ts';
import { farthest, rangeOf, spreadsOf, type World } from './world.ts';

const WIDTH = 30;
const ALL = Array.from({ length: WIDTH }, (_, i) => i);

/** Breast cancer of scikit-learn (shared data): no measure is negative, and none of the ten worst is below its mean. */
export async function cancerWorld(part: Part): Promise<World> {
  const data = await openDataset(join(SHARED, 'data', 'tabular', 'breast-cancer.csv'));
  const values = (await data.read(0, data.n)) as Float32Array;
  const given = Array.from(data.labels!, Number);
  await data.close();
  const rng = randomFrom(FROZEN.seeds[part], 'cancer');
  const order = given.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  // Float32 numbers of the file, as their shortest decimals, so that the table's own equalities hold.
  const rows = order.map((i) =>
    Float64Array.from(values.subarray(i * WIDTH, (i + 1) * WIDTH), (v) => Number(v.toPrecision(7))),
  );
  const known = rows.slice(0, FROZEN.cancer.train);
  const mean = ALL.map((i) => known.reduce((sum, row) => sum + row[i]!, 0) / known.length);
  const std = ALL.map((i) =>
    Math.sqrt(known.reduce((sum, row) => sum + (row[i]! - mean[i]!) ** 2, 0) / known.length),
  );
  return {
    name: 'cancer',
    dims: [WIDTH],
    rows,
    labels: order.map((i) => given[i]!),
    mean,
    std,
    spreadOf(from) {
      const spreads = spreadsOf(from, ALL);
      return (row) => farthest(row, ALL, spreads);
    },
    file(from, limit) {
      const spreads = spreadsOf(from, ALL);
      return {
        type: 'tabular',
        columns: ALL.map((column) => ({
          column,
          ...(limit === undefined ? { min: 0 } : rangeOf(spreads[column]!, limit, { min: 0 })),
          mean: mean[column],
          std: std[column],
        })),
        relations: ALL.slice(0, 10).map((i) => ({ terms: { [20 + i]: 1, [i]: -1 }, atLeast: 0 })),
      };
    },
    accidents: {
      'a column is missing: −1': (row, rng) => with1(row, rng.integer(WIDTH), () => -1),
      'a column is missing: 0': (row, rng) => with1(row, rng.integer(WIDTH), () => 0),
      'a number a hundredfold': (row, rng) => with1(row, rng.integer(WIDTH), (v) => 100 * v),
      'two columns swapped': (row, rng) => {
        const a = rng.integer(WIDTH);
        const b = (a + 1 + rng.integer(WIDTH - 1)) % WIDTH;
        return with1(
          with1(row, a, () => row[b]!),
          b,
          () => row[a]!,
        );
      },
      'noise, a tenth of a deviation': (row, rng) => row.map((v, i) => v + 0.1 * std[i]! * rng.normal()),
      'a whole other row': (_row, _rng, other) => other,
      'not standardised': (row) => row.map((v, i) => v * std[i]! + mean[i]!),
    },
  };
}

function with1(row: Float64Array, column: number, to: (value: number) => number): Float64Array {
  const copy = row.slice();
  copy[column] = to(copy[column]!);
  return copy;
}

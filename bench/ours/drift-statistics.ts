import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom } from '../../src/core/random.ts';
import { jointTest } from '../../src/monitor/drift/joint-test.ts';
import type { Rows } from '../../src/monitor/drift/rows.ts';
import { cramerVonMises } from '../../src/monitor/statistics/cramer-von-mises.ts';
import { densityDifference } from '../../src/monitor/statistics/density-difference.ts';
import { meanOf } from '../../src/monitor/statistics/embedding-test.ts';
import { homogeneity } from '../../src/monitor/statistics/homogeneity.ts';
import { kolmogorovSmirnov, type Tested } from '../../src/monitor/statistics/kolmogorov-smirnov.ts';
import { meanDiscrepancy } from '../../src/monitor/statistics/mean-discrepancy.ts';
import { stabilityIndex } from '../../src/monitor/statistics/stability-index.ts';
import { wasserstein } from '../../src/monitor/statistics/wasserstein.ts';
import { line } from './lines.ts';

// Our statistics on the tables of a folder, which bench/peers/drift/figures.py has looked at before: a line for each.
const {
  positionals: [folder, ...cases],
} = parseArgs({ allowPositionals: true });
const WIDTH = 8;
const PERMUTATIONS = 100;
const WINDOW = 128;

const read = (file: string) => readFileSync(join(folder!, file));
function table(name: string): Rows {
  const bytes = read(`${name}.f32`);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const n = values.length / WIDTH;
  const texts = Array.from({ length: n }, () => '');
  return { n, width: WIDTH, values, principals: texts, decisions: texts, at: new Float64Array(n) };
}
const column = ({ values, n }: Rows, at: number) =>
  Float32Array.from({ length: n }, (_, i) => values[i * WIDTH + at]!).sort();
const counts = (sorted: Float32Array) => {
  const all = new Float64Array(WIDTH);
  for (const value of sorted) all[value]!++;
  return all;
};

/** What `run` gives, and the median of its CPU milliseconds. */
function measured<T>(run: () => T): { readonly found: T; readonly ms: number } {
  const found = run();
  const times: number[] = [];
  let spent = 0;
  // A clock of microseconds: as many runs at once as take a millisecond.
  let batch = 1;
  while (spent < 200_000 || (times.length < 5 && spent < 1_000_000)) {
    const before = process.cpuUsage();
    for (let i = 0; i < batch; i++) run();
    const { user, system } = process.cpuUsage(before);
    spent += user + system;
    if (user + system < 1000) batch *= 2;
    else times.push((user + system) / 1000 / batch);
  }
  return { found, ms: times.sort((a, b) => a - b)[times.length >> 1]! };
}
function told(name: string, test: string, run: () => Partial<Tested>): void {
  const { found, ms } = measured(run);
  line('statistic', { id: `${name}, ${test}`, case: name, test, by: 'Glacis', ms, ...found });
}

line('environment', { versions: { node: process.versions.node } });
const reference = table('reference');
const calm = Array.from({ length: WIDTH }, (_, at) => column(reference, at));
const deviation = (() => {
  const values = calm[0]!;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
})();
const bandwidth = Number(read('sigma.txt'));
for (const name of cases) {
  const window = table(name);
  // All eight columns, as a window is looked at; the first is shown.
  told(
    name,
    'Kolmogorov-Smirnov',
    () => calm.map((own, at) => kolmogorovSmirnov(own, column(window, at)))[0]!,
  );
  told(name, 'Cramér-von Mises', () => cramerVonMises(calm[0]!, column(window, 0)));
  told(name, 'χ²', () => homogeneity(counts(calm[7]!), counts(column(window, 7))));
  told(name, 'mean discrepancy', () =>
    meanDiscrepancy(reference.values, reference.n, window.values, window.n, WIDTH, {
      ...{ rng: randomFrom(1, 'permutations'), bandwidth, permutations: PERMUTATIONS },
    }),
  );
  const drawn = JSON.parse(read(`lsdd-${name}.json`).toString()) as {
    readonly sigma: number;
    readonly lambda: readonly number[];
    readonly centres: readonly (readonly number[])[];
    readonly rows: readonly (readonly number[])[];
    readonly means: readonly number[];
  };
  const [centres, rows] = [drawn.centres.flat(), drawn.rows.flat()];
  // The peer picks its λ from these by a rule on permuted data and does not tell which: the one whose figure is nearest is compared (the suite looks for it).
  for (const lambda of drawn.lambda) {
    const run = () => {
      const { features, form } = densityDifference(centres, drawn.centres.length, WIDTH, drawn.sigma, lambda);
      const all = new Float64Array(drawn.rows.length * features.size);
      for (let i = 0; i < drawn.rows.length; i++) features.write(rows, i, all, i * features.size);
      const h = meanOf(all, drawn.rows.length, features.size).map((value, k) => drawn.means[k]! - value);
      let statistic = 0;
      for (let k = 0; k < h.length; k++)
        for (let l = 0; l < h.length; l++) statistic += h[k]! * form[k * h.length + l]! * h[l]!;
      return { statistic };
    };
    line('statistic', {
      ...{ id: `${name}, density difference, ${lambda}`, case: name, test: 'density difference' },
      ...{ by: 'Glacis', lambda, ...run() },
    });
  }
  told(name, 'Wasserstein', () => ({ statistic: wasserstein(calm[0]!, column(window, 0)) / deviation }));
  told(name, 'stability index', () => ({
    statistic: stabilityIndex(counts(calm[7]!), counts(column(window, 7))).statistic,
  }));
  // In service: features by pairs, random waves and centres that were learnt once.
  const joint = jointTest(
    reference,
    randomFrom(1, 'joint'),
    Array.from({ length: WIDTH }, (_, i) => `f${i}`),
  );
  told(name, 'all joint tests, as in service', () => {
    const { score } = joint.test(window);
    return { statistic: score, p: 10 ** -score };
  });
}
const slide = jointTest(reference, randomFrom(1, 'slide')).slide!(WINDOW);
const rows = table('calm');
let at = 0;
const { ms } = measured(() => {
  // It is looked at after every sixteenth row.
  for (let i = 0; i < 64; i++, at = (at + 1) % rows.n) {
    slide.push(rows.values, at * WIDTH);
    if (i % 16 === 15) slide.score();
  }
});
line('statistic', {
  id: 'online',
  case: 'online',
  test: 'mean discrepancy online',
  by: 'Glacis',
  ms: ms / 64,
});

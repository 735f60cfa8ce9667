import type { Rng } from '../../core/random.ts';
import { densityDifference } from '../statistics/density-difference.ts';
import { type Embedding, embed, embeddingTest, meanOf } from '../statistics/embedding-test.ts';
import { type FeatureMap, fourierFeatures, medianDistance } from '../statistics/radial-kernel.ts';
import { learnPairs } from './pairs-test.ts';
import type { Rows } from './rows.ts';
import { standardRows } from './standard-rows.ts';
import { scoreOf, shown, type WindowTest } from './window-test.ts';

const WAVES = 32;
const CENTRES = 40;
const RIDGE = 0.1;

interface Look {
  readonly name: string;
  readonly features: FeatureMap;
  readonly form: Float64Array | undefined;
  readonly embedding: Embedding;
}

/**
 * Tests all features together, so that what moved may be how they go with each other: maximum mean discrepancy with random Fourier features and, where all looks are asked for, the
 * least-squares density difference around calm centres, and features two by two ({@link learnPairs}). The score is that of the smallest p-value, times their number. Cost: rows × (features × 72 + pairs).
 *
 * @param names of the features, for all looks; undefined for the first alone
 */
export function jointTest(calm: Rows, rng: Rng, names?: readonly string[]): WindowTest {
  const standard = standardRows(calm);
  const { width } = standard;
  const rows = standard.of(calm);
  const bandwidth = medianDistance(rows, calm.n, width, rng);
  const fourier = fourierFeatures(width, 2 * WAVES, bandwidth, rng.fork('waves'));
  const looks: Look[] = [
    { name: 'mean discrepancy', features: fourier, form: undefined, embedding: embed(fourier, rows, calm.n) },
  ];
  const pairs = names && learnPairs(calm, standard.columns, names);
  if (names !== undefined) {
    const count = Math.min(CENTRES, calm.n);
    const centres = new Float64Array(count * width);
    for (let c = 0; c < count; c++) {
      const from = rng.integer(calm.n) * width;
      centres.set(rows.subarray(from, from + width), c * width);
    }
    const { features, form } = densityDifference(centres, count, width, bandwidth, RIDGE);
    looks.push({
      name: 'density difference',
      features,
      form,
      embedding: embed(features, rows, calm.n, form),
    });
  }
  return {
    test(window) {
      const standardised = standard.of(window);
      const seen = looks.map(({ name, features, form, embedding }) => {
        const all = mapped(features, standardised, window.n);
        const mean = meanOf(all, window.n, features.size);
        return {
          name,
          features,
          form,
          embedding,
          all,
          mean,
          ...embeddingTest(embedding, mean, window.n, form),
        };
      });
      const least = seen.reduce((best, each) => (each.p < best.p ? each : best));
      const paired = pairs?.test(window);
      const count = seen.length + (paired ? 1 : 0);
      const p = Math.min(1, count * Math.min(least.p, paired?.p ?? 1));
      const isPair = paired !== undefined && paired.p < least.p;
      const { features, form, embedding, mean } = least;
      const excessOf = (all: Float64Array) => witness(all, features.size, mean, embedding.mean, form);
      return {
        score: scoreOf(p),
        parts: [...seen, ...(paired ? [{ name: 'pairs of features', ...paired }] : [])].map((each) => ({
          name: each.name,
          score: each.statistic,
          p: Math.min(1, count * each.p),
        })),
        what: 'all features together',
        why: isPair
          ? `In ${window.n} rows ${paired.words} (p = ${p.toExponential(0)}).`
          : `${window.n} rows are not spread as calm ones are: ${least.name} ${shown(least.statistic)}, p = ${p.toExponential(0)}.`,
        figures: {
          ...Object.fromEntries(seen.map((each) => [`p of ${each.name}`, each.p])),
          ...(paired && { 'p of pairs': paired.p }),
        },
        excess: isPair ? paired.speaks(window) : excessOf(least.all),
        speaks: isPair ? paired.speaks : (other) => excessOf(mapped(features, standard.of(other), other.n)),
        faults: [],
      };
    },
    slide(size) {
      const { features, embedding } = looks[0]!;
      const ring = new Float64Array(size * features.size);
      const sum = new Float64Array(features.size);
      const mean = new Float64Array(features.size);
      const row = new Float64Array(width);
      const own = new Float64Array(features.size);
      let n = 0;
      return {
        push(values, offset) {
          standard.write(values, offset, row, 0);
          features.write(row, 0, own, 0);
          const at = (n % size) * features.size;
          for (let k = 0; k < features.size; k++) {
            if (n >= size) sum[k]! -= ring[at + k]!;
            sum[k]! += own[k]!;
            ring[at + k] = own[k]!;
          }
          n++;
          // Rounding does not add up: once round, the sum is made anew.
          if (n % size === 0) {
            sum.fill(0);
            for (let i = 0; i < size; i++)
              for (let k = 0; k < features.size; k++) sum[k]! += ring[i * features.size + k]!;
          }
        },
        score() {
          if (n < size) return 0;
          for (let k = 0; k < features.size; k++) mean[k] = sum[k]! / size;
          return scoreOf(embeddingTest(embedding, mean, size).p);
        },
      };
    },
  };
}

/** Features of all rows, one row after another. */
function mapped(features: FeatureMap, rows: Float64Array, n: number): Float64Array {
  const all = new Float64Array(n * features.size);
  for (let i = 0; i < n; i++) features.write(rows, i, all, i * features.size);
  return all;
}

/** How much each row speaks for the shift: (φ(x) − mean of the reference) · M (mean of now − mean of the reference). */
function witness(
  all: Float64Array,
  size: number,
  now: Float64Array,
  before: Float64Array,
  form: Float64Array | undefined,
): Float64Array {
  const direction = now.map((value, k) => {
    if (!form) return value - before[k]!;
    let sum = 0;
    for (let l = 0; l < size; l++) sum += form[k * size + l]! * (now[l]! - before[l]!);
    return sum;
  });
  return Float64Array.from({ length: all.length / size }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (all[i * size + k]! - before[k]!) * direction[k]!;
    return sum;
  });
}

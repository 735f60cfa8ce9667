import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Observations } from '../detector.ts';
import { packedFloats } from '../packed-floats.ts';
import { cellsOf } from '../queries/cells.ts';
import { type Levels, MEASURES, openNearDuplicates } from '../queries/near-duplicates.ts';
import { defineClientDetector, quantile } from './client-detector.ts';

const level = z.number().gt(0);

const kept = z.strictObject({
  radius: z.number().gt(0),
  reach: z.number().gt(0),
  scale: packedFloats(64).optional(),
  levels: z.strictObject({ size: level, flips: level, descents: level, share: level }),
});

/** Evidence below which nothing is an alarm, however calm the calm clients were. */
const LEAST: Levels = { size: 10, flips: 4, descents: 15, share: 6 };

/** Shares of calm queries that have one of another client within `radius` and `reach`. */
const NEAR = 0.01;
const REACHED = 0.1;

/** Samples on which distances are measured. */
const MEASURED = 2000;

/** Many small changes of one sample, whoever asks about them: see {@link openNearDuplicates}. Needs no features. */
export const nearDuplicateClients = defineClientDetector<z.output<typeof kept>>({
  id: 'near-duplicates',
  needs: 'inputs',
  kept,
  fit(clients, { sampleDims, classes }) {
    const scale = scaleOf(clients, sampleDims);
    const distances = distancesBetween(clients, sampleDims, scale);
    const radius = quantile(distances, NEAR);
    const reach = quantile(distances, REACHED);
    if (!(radius > 0 && reach < Number.POSITIVE_INFINITY))
      throw new GlacisError(
        'data/mismatch',
        'near-duplicates: expected at least two calm clients whose samples differ, got others',
      );
    const most = clients.length * clients.reduce((longest, { n }) => Math.max(longest, n), 0);
    const watch = openNearDuplicates({
      sampleDims,
      classes,
      scale,
      radius,
      reach,
      levels: LEAST,
      salt: 0,
      capacity: 2 ** Math.min(15, Math.max(4, Math.ceil(Math.log2(most)))),
      askers: clients.length,
    });
    const highest = clients.map(() => ({ ...NONE }));
    const longest = clients.reduce((length, { n }) => Math.max(length, n), 0);
    for (let i = 0; i < longest; i++)
      for (const [c, { n, x, scores }] of clients.entries()) {
        if (i >= n) continue;
        const { evidence } = watch.observe(String(c), x, (i * x.length) / n, scores, i);
        for (const measure of MEASURES)
          highest[c]![measure] = Math.max(highest[c]![measure], evidence[measure]);
      }
    const levels = { ...NONE };
    for (const measure of MEASURES)
      levels[measure] = Math.max(
        LEAST[measure],
        1.2 *
          quantile(
            highest.map((each) => each[measure]),
            0.99,
          ),
      );
    return { radius, reach, ...(scale && { scale }), levels };
  },
  open(fit, { sampleDims, classes }, memory, state) {
    const watch = openNearDuplicates({ ...fit, sampleDims, classes, ...memory }, state);
    const size = elementCount(sampleDims);
    return {
      observe(asker, { x, scores }, i, stream = false) {
        const { score, kind, measure, evidence, isImplicated } = watch.observe(asker, x, i * size, scores, i);
        const { flips, descents } = evidence;
        const counted = !stream
          ? score
          : isImplicated
            ? Math.max(flips / fit.levels.flips, descents / fit.levels.descents)
            : 0;
        return { score: counted, seen: `${kind}, ${measure} ${evidence[measure].toFixed(1)}` };
      },
      snapshot: watch.snapshot,
    };
  },
});

const NONE: Record<keyof Levels, number> = { size: 0, flips: 0, descents: 0, share: 0 };

/** The deviation of each element of short rows: the columns of a table have units of their own. Pictures and long rows have one. */
function scaleOf(clients: readonly Observations[], sampleDims: readonly number[]): Float32Array | undefined {
  const [size = 0, ...more] = sampleDims;
  if (more.length > 0 || size > 64) return undefined;
  const sum = new Float64Array(size);
  const squares = new Float64Array(size);
  let n = 0;
  for (const client of clients) {
    n += client.n;
    for (let i = 0; i < client.n * size; i++) {
      const value = client.x[i]!;
      sum[i % size]! += value;
      squares[i % size]! += value * value;
    }
  }
  return Float32Array.from(sum, (s, i) => {
    const deviation = Math.sqrt(Math.max(0, squares[i]! / n - (s / n) ** 2));
    return deviation > 0 && Number.isFinite(deviation) ? deviation : 1;
  });
}

/** From up to {@link MEASURED} samples, evenly drawn, to the nearest of another client; repeats are left out. */
function distancesBetween(
  clients: readonly Observations[],
  sampleDims: readonly number[],
  scale: Float32Array | undefined,
): readonly number[] {
  const cells = cellsOf(sampleDims, scale);
  const size = elementCount(sampleDims);
  const whole = clients.reduce((n, client) => n + client.n, 0);
  const stride = Math.max(1, whole / MEASURED);
  const rows: Float32Array[] = [];
  const owners: number[] = [];
  let at = 0;
  let next = 0;
  for (const [c, { n, x }] of clients.entries())
    for (let i = 0; i < n; i++, at++) {
      if (at < next) continue;
      next += stride;
      const row = new Float32Array(cells.count);
      cells.read(x, i * size, row);
      rows.push(row);
      owners.push(c);
    }
  const distances: number[] = [];
  for (const [i, own] of rows.entries()) {
    let least = Number.POSITIVE_INFINITY;
    for (const [j, other] of rows.entries()) {
      if (owners[i] === owners[j]) continue;
      let total = 0;
      for (let k = 0; k < own.length && total < least; k++) total += (own[k]! - other[k]!) ** 2;
      if (total > 0 && total < least) least = total;
    }
    distances.push(Math.sqrt(least));
  }
  return distances;
}

import { z } from 'zod';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { openAskers } from './askers.ts';
import { calmRowReader, calmRowsSchema, fitCalmRows, isWhole, ROW } from './calm-rows.ts';
import { rowsOf, type SketchedRow, whoOf } from './sketched-rows.ts';

/** What calm clients are like. */
export const extractionFit = z
  .strictObject({
    rows: calmRowsSchema,
    /** Squared length beyond which a row is odd, and the share of a calm client's rows that may be. */
    odd: z.number().gt(0),
    usual: z.number().gt(0).max(1),
    spread: z.strictObject({ calm: z.number().gt(0), strange: z.number().gt(0) }),
    /** The greatest evidence that calm clients raised, one by one and together. */
    calm: z.strictObject({ one: z.number(), all: z.number(), rows: z.int().min(0), clients: z.int().min(0) }),
  })
  .refine(({ rows }) => isWhole(rows), { error: 'arrays of their own sizes' });

/** See {@link extractionFit}. */
export type ExtractionFit = z.output<typeof extractionFit>;

/** A row is odd beyond so many times the squared length that this share of calm rows exceeds: there is always a scanner that is worse than those that were learnt from, and other domains are much further off. */
const ODD = 0.005;
const BEYOND = 2;

/** Learns what calm clients are like; undefined where there is too little. `clients`: how many are remembered in service. */
export function fitExtraction(
  calm: readonly Sighting[],
  { clients }: { readonly clients: number },
  setting: Pick<MonitorSetting, 'features'>,
): ExtractionFit | undefined {
  const width = setting.features.length;
  const all = calm.flatMap((sighting) => rowsOf(sighting, width));
  // Every other client teaches, the rest measures: of clients that taught, the evidence would be too small.
  const sides = new Map<string, number>();
  const sideOf = (row: SketchedRow) => {
    const who = whoOf(row.sighting);
    const known = sides.get(who);
    if (known !== undefined) return known;
    sides.set(who, sides.size % 2);
    return (sides.size - 1) % 2;
  };
  const split = all.map(sideOf);
  const few = sides.size < 4;
  const teaching = few ? all : all.filter((_, i) => split[i] === 0);
  const rows = fitCalmRows(teaching);
  if (rows === undefined) return undefined;
  const measured = few ? all : all.filter((_, i) => split[i] === 1);
  const read = calmRowReader(rows);
  const out = new Float32Array(ROW);
  const lengths = Float64Array.from(measured, (row) => read(row, out)).sort();
  const odd = BEYOND * Math.max(1, lengths[Math.floor((1 - ODD) * lengths.length)] ?? ROW);
  const counts = new Map<string, { n: number; odd: number; readonly sum: Float64Array }>();
  for (const row of measured) {
    const who = whoOf(row.sighting);
    let count = counts.get(who);
    if (count === undefined) {
      count = { n: 0, odd: 0, sum: new Float64Array(ROW) };
      counts.set(who, count);
    }
    count.n++;
    if (read(row, out) > odd) count.odd++;
    for (let i = 0; i < ROW; i++) count.sum[i]! += out[i]!;
  }
  const long = [...counts.values()].filter(({ n }) => n >= 32);
  const shares = long.map(({ n, odd: found }) => (found + 0.5) / (n + 1)).sort((a, b) => a - b);
  const shifts = long
    .map(({ n, sum }) => Math.max(0, (sum.reduce((total, s) => total + s * s, 0) / n - ROW) / n / ROW))
    .sort((a, b) => a - b);
  const high = <T>(values: readonly T[]) => values[Math.floor(0.95 * (values.length - 1))];
  // A calm client may be three times as far off as the furthest but a twentieth were: those that were learnt from are few.
  const spread = Math.max(0.02, 3 * (high(shifts) ?? 0.1));
  const fit: ExtractionFit = {
    rows,
    odd,
    // The worst of calm clients, and half as much again.
    usual: Math.min(0.3, Math.max(2 * ODD, 1.5 * (shares.at(-1) ?? 0))),
    spread: { calm: spread, strange: 8 * spread + 0.5 },
    calm: { one: 0, all: 0, rows: all.length, clients: sides.size },
  };
  const watch = openAskers(fit, Math.max(clients, 4096));
  let [one, together] = [0, 0];
  for (const row of all) {
    const asker = watch.take(row);
    if (asker === undefined) continue;
    one = Math.max(one, asker.evidence);
    together = Math.max(together, watch.together());
  }
  return { ...fit, calm: { ...fit.calm, one, all: together } };
}

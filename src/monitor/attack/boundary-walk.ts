import { z } from 'zod';
import { packedFloats, packFloats } from '../../detect/packed-floats.ts';
import { queryMemory } from '../../detect/queries/query-memory.ts';
import { recent } from '../../detect/queries/recent.ts';
import { sampleDigest } from '../../detect/queries/sample-digest.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { gravity, openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { type LastPoints, lastPoints } from './between-points.ts';
import { type CellRow, cellRowsOf, cellsOfFeatures, scaleOf, usualDistances } from './cell-rows.ts';
import { halves } from './extraction-evidence.ts';
import { type OddChances, openOddChances } from './odd-chances.ts';
import { odds } from './odds.ts';
import { openRunLength } from './run-length.ts';
import { scoreSeries } from './score-series.ts';
import { whoOf } from './sketched-rows.ts';

const share = z.number().gt(0).max(1);
const fitSchema = z.strictObject({
  cells: z.int().min(1).max(4096),
  scale: packedFloats(4096),
  radius: z.number().gt(0),
  /** Shares of calm near-duplicates, in the worst of clusters. */
  flipped: share,
  halving: share,
  /** The greatest evidence in a calm cluster. */
  calm: z.number(),
  calls: z.int().min(0),
});
type Fit = z.output<typeof fitSchema>;

const options = z.strictObject({
  budget: z
    .number()
    .gt(0)
    .max(1000)
    .default(1 / 7)
    .describe('False alarms a day that are allowed, at the traffic of now.'),
  queries: z
    .literal([1024, 2048, 4096, 8192, 16_384, 32_768])
    .default(4096)
    .describe('Queries of everybody that are remembered.'),
});
type Options = z.output<typeof options>;

/** Shares that calm clusters are granted, whatever was measured: a camera before a picture between two classes flickers up to every other time. */
const LEAST_FLIPPED = 0.5;
const LEAST_HALVING = 0.004;

/** Near-duplicates from which a calm cluster says something about shares. */
const FEWEST = 24;
const CLUSTERS = 2048;
const MOST_CALLERS = 64;

interface Cluster {
  readonly points: LastPoints;
  /** Of what near-duplicates show; most clusters stay without. */
  chances: { readonly flips: OddChances; readonly halvings: OddChances } | undefined;
  n: number;
  flipped: number;
  halved: number;
  evidence: number;
  first: number;
  readonly callers: Map<string, number>;
  shown: string[];
}

/**
 * Walks along a class border: near-duplicates of one input, whoever sends them, whose class alternates, and searches by halves between two inputs of different classes (a point between two others on one line, which
 * noise, cameras and files saved again do not give). Both are e-detectors in each cluster, against what calm clusters show.
 *
 * What is remembered of clusters is not kept over a restart: a walk is noticed within some dozens of queries.
 */
export const boundaryWalk = defineAttackKind<Options, Fit>({
  name: 'boundary-walk',
  about: 'Walking along a class border: alternating classes and searches by halves around one input.',
  options,
  kept: fitSchema,
  toJson: (fit) => ({ ...fit, scale: packFloats(fit.scale) }),
  learns: { sketched: true, calls: 3000 },
  fit(calm, given, setting) {
    if (setting.classes === undefined) return undefined;
    const cells = cellsOfFeatures(setting.features);
    const rows = calm.flatMap((sighting) => cellRowsOf(sighting, setting.features.length, cells));
    const scale = scaleOf(rows, setting.features, cells);
    const usual = usualDistances(rows, scale, cells);
    if (usual === undefined) return undefined;
    const fit: Fit = {
      ...{ cells, scale, radius: usual.radius, calls: calm.length },
      ...{ flipped: LEAST_FLIPPED, halving: LEAST_HALVING, calm: 0 },
    };
    const first = watchOf(fit, given, setting.seed);
    const seen = new Set<Cluster>();
    for (const row of rows) {
      const cluster = first.take(row);
      if (cluster) seen.add(cluster);
    }
    for (const { n, flipped, halved } of seen) {
      if (n < FEWEST) continue;
      fit.flipped = Math.min(0.9, Math.max(fit.flipped, (1.1 * flipped) / n));
      fit.halving = Math.min(0.5, Math.max(fit.halving, (0.5 * (halved + 0.1)) / n));
    }
    const second = watchOf(fit, given, setting.seed);
    for (const row of rows) fit.calm = Math.max(fit.calm, second.take(row)?.evidence ?? 0);
    return fit;
  },
  open: openMonitor,
});

function watchOf(
  { cells, scale, radius, flipped: mayFlip, halving: mayHalve }: Fit,
  { queries }: Options,
  seed: number,
) {
  const memory = queryMemory(cells, 2 * radius, queries, 1 + seed);
  const clusters = recent<number, Cluster>(CLUSTERS);
  const own = new Float32Array(cells);
  return {
    clusters,
    /** The cluster that a row joins as a near-duplicate; undefined for what is new or a repeat. */
    take({ cells: raw, label, sighting }: CellRow): Cluster | undefined {
      for (let i = 0; i < cells; i++) own[i] = raw[i]! / scale[i]!;
      const query = { cells: own, digest: sampleDigest(own, 0, cells, seed) };
      const found = memory.nearest(query, radius);
      if (found?.repeat) return undefined;
      const number = found?.cluster ?? memory.next();
      memory.add(query, { cluster: number, label });
      const cluster = clusters.at(number, () => fresh(cells, sighting.at));
      const seen = cluster.points.take(own, label);
      if (found === undefined || seen === undefined) return undefined;
      const who = whoOf(sighting);
      if (cluster.callers.has(who) || cluster.callers.size < MOST_CALLERS)
        cluster.callers.set(who, (cluster.callers.get(who) ?? 0) + 1);
      cluster.n++;
      if (seen.flipped) cluster.flipped++;
      if (seen.halving) cluster.halved++;
      if (seen.flipped || seen.halving) {
        cluster.shown.unshift(sighting.id);
        if (cluster.shown.length > 16) cluster.shown.pop();
      }
      cluster.chances ??= { flips: openOddChances(), halvings: openOddChances() };
      const { flips, halvings } = cluster.chances;
      flips.take(seen.flipped, mayFlip);
      halvings.take(seen.halving, mayHalve);
      cluster.evidence = halves(flips.evidence(), halvings.evidence());
      return cluster;
    },
  };
}

const fresh = (cells: number, first: number): Cluster => ({
  points: lastPoints(cells),
  chances: undefined,
  ...{ n: 0, flipped: 0, halved: 0, evidence: Number.NEGATIVE_INFINITY, first },
  callers: new Map(),
  shown: [],
});

const keptState = z.strictObject({
  perDay: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
});

function openMonitor(fit: Fit, given: Options, setting: MonitorSetting, state?: { readonly plain: unknown }) {
  const watch = watchOf(fit, given, setting.seed);
  const read = keptState.safeParse(state?.plain).data;
  const run = openRunLength(given.budget, read?.perDay);
  const desk = openDesk('boundary-walk', setting, read?.said);
  const series = scoreSeries();
  const threshold = () => Math.max(run.log(), 1.25 * fit.calm + 3);
  let now = 0;
  const callersOf = ({ callers }: Cluster) =>
    [...callers.entries()].sort((a, b) => b[1] - a[1]).filter(([, n]) => n >= 2);
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings)
        for (const row of cellRowsOf(sighting, setting.features.length, fit.cells)) {
          run.take(sighting.at);
          now = Math.max(now, sighting.at);
          const cluster = watch.take(row);
          if (cluster === undefined) continue;
          const { evidence, n, flipped, halved, first } = cluster;
          series.take(sighting.at, Math.max(0, evidence));
          const limit = threshold();
          if (evidence <= limit) continue;
          const principals = callersOf(cluster).map(([name]) => name);
          const [who = whoOf(sighting)] = principals;
          const subject = `boundary-walk ${who}`;
          // A key that comes in later is news.
          if (
            !desk.isDue(subject, sighting.at, evidence) &&
            !principals.some((name) => desk.isDue(`boundary-walk ${name}`, sighting.at, evidence))
          )
            continue;
          for (const name of principals.slice(1)) desk.note(`boundary-walk ${name}`, sighting.at, evidence);
          alarms.push(
            desk.say({
              ...{
                at: sighting.at,
                severity: gravity(evidence, limit),
                subject,
                first,
                last: sighting.at,
                queries: n,
              },
              principals: principals.length > 0 ? principals : [who],
              title: `${principals.length > 1 ? `${principals.length} clients walk` : `${who} walks`} along a class border of ${setting.model}`,
              why: `Of ${n} near-duplicates of one input ${flipped} got another class than their neighbour and ${halved} halve the way between two inputs of different classes; in calm clusters at most ${(100 * fit.flipped).toFixed(0)} % and ${(100 * fit.halving).toFixed(1)} % do. The odds against a calm cluster are ${odds(evidence)} (alarm from ${odds(limit)}). It looks like an attack and not like drift because it is one input, and ${principals.length === 1 ? 'one client' : `${Math.max(1, principals.length)} clients`}; nobody needs to search for the border of a class.`,
              score: evidence,
              threshold: limit,
              decisions: [sighting.id, ...cluster.shown],
              atlas: ['AML.T0043.001', 'AML.T0042'],
              figures: {
                'near-duplicates': n,
                'class changed': flipped,
                halving: halved,
                clients: principals.length,
              },
            }),
          );
        }
      return alarms;
    },
    state: () => {
      const limit = threshold();
      const callers = new Map<string, number>();
      for (const [, cluster] of watch.clusters.entries())
        if (cluster.evidence > 1)
          for (const [name] of callersOf(cluster))
            callers.set(name, Math.max(callers.get(name) ?? 0, cluster.evidence));
      const parts = [...callers].map(([name, score]) => ({ name, score })).sort((a, b) => b.score - a.score);
      return {
        phase: now - desk.last() < 600_000 ? ('alarmed' as const) : ('watching' as const),
        score: parts[0]?.score ?? 0,
        threshold: limit,
        series: series.points(),
        falseAlarms: { budgetPerDay: given.budget, on: fit.calls },
        parts: parts.slice(0, 64),
      };
    },
    keep: () => ({ plain: { perDay: run.perDay(), said: desk.keep() }, arrays: {} }),
  };
}

import { z } from 'zod';
import { recent } from '../../detect/queries/recent.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { gravity, openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { calmRowReader, calmRowsSchema, calmRowsToJson, fitCalmRows, isWhole, ROW } from './calm-rows.ts';
import {
  type Asker,
  freshAsker,
  likeness,
  type Spread,
  strangeness,
  takeRow,
} from './extraction-evidence.ts';
import { CAPITALS } from './odd-chances.ts';
import { odds } from './odds.ts';
import { openRunLength } from './run-length.ts';
import { scoreSeries } from './score-series.ts';
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
type Fit = z.output<typeof extractionFit>;

const options = z.strictObject({
  budget: z
    .number()
    .gt(0)
    .max(1000)
    .default(1 / 7)
    .describe('False alarms a day that are allowed, at the traffic of now.'),
  clients: z.int().min(16).max(65_536).default(1024).describe('Clients that are remembered.'),
});
type Options = z.output<typeof options>;

/** A row is odd beyond so many times the squared length that this share of calm rows exceeds: there is always a scanner that is worse than those that were learnt from, and other domains are much further off. */
const ODD = 0.005;
const BEYOND = 2;

/** Each client is suspected with this chance beforehand, when all are judged together. */
const PRIOR = 1 / 32;

const DAY = 86_400_000;

/** Milliseconds from which a client has a say in what is usual now: many fresh keys must not make their own ways the usual ones. */
const SETTLED = DAY / 4;

/** Rows between two looks at what all clients have in common, and clients that it takes. */
const LOOK = 256;
const FEWEST_CLIENTS = 8;
const MOST_LOOKED = 256;

/** Clients that are alike (cosine) and suspicious (share of the threshold, of what is left of the evidence after what calm gives by itself) are named together. */
const ALIKE = 0.7;
const SUSPICIOUS = 0.3;

/** When more than this share of at least so many clients is suspicious, the world has changed. */
const MANY = 0.4;

/**
 * Copying of the model: clients whose queries are not distributed as calm ones (another domain, noise, synthetic ones), each by itself and all together, so that a copy split over many keys adds up. What all clients have in
 * common now is taken off first (the median over clients), so that a slow drift of everybody is nobody's attack.
 *
 * Blind to a thief who asks what calm clients ask: only budgets help there.
 */
export const extraction = defineAttackKind<Options, Fit>({
  name: 'extraction',
  about: 'Copying of the model by queries that calm clients do not ask, also when split over many keys.',
  options,
  kept: extractionFit,
  toJson: (fit) => ({ ...fit, rows: calmRowsToJson(fit.rows) }),
  learns: { sketched: true, calls: 3000 },
  fit: fitExtraction,
  open: openExtraction,
});

function fitExtraction(calm: readonly Sighting[], given: Options, setting: MonitorSetting): Fit | undefined {
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
  const fit: Fit = {
    rows,
    odd,
    // The worst of calm clients, and half as much again.
    usual: Math.min(0.3, Math.max(2 * ODD, 1.5 * (shares.at(-1) ?? 0))),
    spread: { calm: spread, strange: 8 * spread + 0.5 },
    calm: { one: 0, all: 0, rows: all.length, clients: sides.size },
  };
  const watch = watchOf(fit, { ...given, clients: Math.max(given.clients, 4096) });
  let [one, together] = [0, 0];
  for (const row of all) {
    const asker = watch.take(row);
    if (asker === undefined) continue;
    one = Math.max(one, asker.evidence);
    together = Math.max(together, watch.together());
  }
  return { ...fit, calm: { ...fit.calm, one, all: together } };
}

/** The clients, and what they have in common. */
function watchOf(fit: Fit, { clients }: Options) {
  const read = calmRowReader(fit.rows);
  const known = recent<string, Asker>(clients);
  const row = new Float32Array(ROW);
  const common = new Float64Array(ROW);
  const lag = new Float64Array(ROW);
  const column = new Float64Array(MOST_LOOKED);
  const spread: Spread = fit.spread;
  let [usual, looked, taken, sum, now] = [fit.usual, 0, 0, 0, 0];
  /** What all have in common now, and how often they are odd: medians, so that less than half of them cannot move it. */
  const look = (): void => {
    looked = taken;
    const voters: Asker[] = [];
    let all = 0;
    for (const [, asker] of known.entries()) {
      if (asker.counted >= 16 && now - asker.last < DAY && now - asker.first > SETTLED) voters.push(asker);
      all += togetherOf(asker);
    }
    sum = all;
    // Who asked last stands last.
    voters.splice(0, voters.length - MOST_LOOKED);
    if (voters.length < FEWEST_CLIENTS) return;
    for (let i = 0; i < ROW; i++) {
      for (const [v, { mean }] of voters.entries()) column[v] = mean[i]!;
      const sorted = column.subarray(0, voters.length).sort();
      common[i] = sorted[voters.length >> 1]!;
    }
    const long = voters.filter(({ n, nBefore }) => n + nBefore >= 16);
    for (let i = 0; long.length >= FEWEST_CLIENTS && i < ROW; i++) {
      for (const [v, asker] of long.entries())
        column[v] = (asker.now[i]! + asker.before[i]!) / (asker.n + asker.nBefore);
      lag[i] = column.subarray(0, long.length).sort()[long.length >> 1]!;
    }
    for (const [v, { odd, rows }] of voters.entries()) column[v] = odd / Math.max(1, rows);
    const share = column.subarray(0, voters.length).sort()[Math.floor(0.6 * voters.length)]!;
    usual = Math.min(0.9, Math.max(fit.usual, 2 * share));
  };
  return {
    known,
    common,
    together: () => sum,
    usual: () => usual,
    take(sketched: SketchedRow): Asker | undefined {
      const { sighting } = sketched;
      const asker = known.at(whoOf(sighting), () => freshAsker(whoOf(sighting), sighting.at));
      read(sketched, row);
      const isOdd = strangeness(asker, row, common) > fit.odd;
      const before = togetherOf(asker);
      now = Math.max(now, sighting.at);
      asker.last = Math.max(asker.last, sighting.at);
      if (!takeRow(asker, row, fit.odd, { spread, usual, common, lag })) return undefined;
      if (isOdd || asker.shown.length === 0) {
        asker.shown.unshift(sighting.id);
        if (asker.shown.length > 16) asker.shown.pop();
      }
      sum += togetherOf(asker) - before;
      taken++;
      if (taken - looked >= LOOK) look();
      return asker;
    },
  };
}

/** Part of one client in the evidence that some clients together are one attacker: `E = Π (1 − q + q E_c)`, again of mean 1 at most where all are calm. */
function togetherOf({ part }: Asker): number {
  return part > 30 ? part + Math.log(PRIOR) : Math.log(1 - PRIOR + PRIOR * Math.exp(Math.max(-50, part)));
}

const whole = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.number().nullable();
const keptState = z.strictObject({
  perDay: whole,
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
  askers: z
    .array(
      z.tuple([
        z.string(),
        whole,
        whole,
        whole,
        whole,
        whole,
        whole,
        time,
        time,
        z.array(z.string()).max(16),
      ]),
    )
    .max(65_536),
});

function openExtraction(
  fit: Fit,
  given: Options,
  setting: MonitorSetting,
  state?: { readonly plain: unknown; readonly arrays: Readonly<Record<string, unknown>> },
) {
  const watch = watchOf(fit, given);
  const width = setting.features.length;
  const read = keptState.safeParse(state?.plain).data;
  if (state && read) restore(read, state.arrays, watch);
  const run = openRunLength(given.budget, read?.perDay);
  const desk = openDesk('extraction', setting, read?.said);
  const series = scoreSeries();
  /** Where evidence is an alarm: what the budget wants, and clearly beyond what calm clients raised. */
  const threshold = () => Math.max(run.log(), 1.25 * fit.calm.one + 3);
  const thresholdOfAll = () => Math.max(run.log(), 1.5 * fit.calm.all + 5);
  const suspicious = (than: number): readonly Asker[] => {
    const found: Asker[] = [];
    for (const [, asker] of watch.known.entries()) if (asker.part > than) found.push(asker);
    return found.sort((a, b) => b.evidence - a.evidence);
  };
  /** Whether so many changed that it is the world that did. */
  const isWorld = (than: number, now: number): boolean => {
    let [active, changed] = [0, 0];
    for (const [, { last, evidence, rows }] of watch.known.entries()) {
      if (rows < 8 || now - last > DAY) continue;
      active++;
      if (evidence > than) changed++;
    }
    return active >= FEWEST_CLIENTS && changed > MANY * active;
  };
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings)
        for (const row of rowsOf(sighting, width)) {
          run.take(sighting.at);
          const asker = watch.take(row);
          if (asker === undefined) continue;
          const [one, all] = [threshold(), thresholdOfAll()];
          series.take(sighting.at, Math.max(0, asker.evidence));
          const alone = asker.evidence > one;
          const together = !alone && asker.part > SUSPICIOUS * one && watch.together() > all;
          if (!alone && !together) continue;
          const subject = alone ? `extraction ${asker.name}` : `extraction ${setting.model} by many`;
          const score = alone ? asker.evidence : watch.together();
          if (!desk.isDue(subject, sighting.at, score) || isWorld(SUSPICIOUS * one, sighting.at)) continue;
          alarms.push(desk.say(wordOf(asker, sighting, { one, all, alone, subject, score })));
        }
      return alarms;
    },
    state: () => {
      const one = threshold();
      const most = suspicious(Number.NEGATIVE_INFINITY).slice(0, 64);
      const score = Math.max(0, most[0]?.evidence ?? 0);
      const now = Math.max(...most.map(({ last }) => last), 0);
      const world = isWorld(SUSPICIOUS * one, now);
      return {
        phase: score > one && !world ? ('alarmed' as const) : ('watching' as const),
        ...(world && { because: 'so many clients changed at once that it is drift, not an attack' }),
        score,
        threshold: one,
        series: series.points(),
        falseAlarms: {
          budgetPerDay: given.budget,
          on: fit.calm.rows,
        },
        parts: most.map(({ name, evidence }) => ({ name, score: Math.max(0, evidence) })),
      };
    },
    keep() {
      const list = [...watch.known.entries()].map(([, asker]) => asker);
      const joined = (of: (asker: Asker) => ArrayLike<number>, length: number) => {
        const out = new Float64Array(list.length * length);
        for (const [i, asker] of list.entries()) out.set(of(asker), i * length);
        return out;
      };
      return {
        plain: {
          perDay: run.perDay(),
          said: desk.keep(),
          askers: list.map(({ name, n, nBefore, rows, odd, counted, asked, first, last, shown }) => [
            ...[name, n, nBefore, rows, odd, counted, asked],
            ...[finite(first), finite(last), shown],
          ]),
        },
        arrays: {
          now: joined(({ now }) => now, ROW),
          before: joined(({ before }) => before, ROW),
          centres: joined(({ centre }) => centre, ROW),
          means: joined(({ mean }) => mean, ROW),
          capitals: joined(({ chances }) => chances.capitals, CAPITALS),
          common: watch.common,
        },
      };
    },
  };

  function wordOf(
    asker: Asker,
    sighting: Sighting,
    {
      one,
      all,
      alone,
      subject,
      score,
    }: {
      readonly one: number;
      readonly all: number;
      readonly alone: boolean;
      readonly subject: string;
      readonly score: number;
    },
  ) {
    const others = suspicious(SUSPICIOUS * one).filter((other) => other !== asker);
    const linked = alone ? others.filter((other) => likeness(asker, other) > ALIKE) : others;
    const named = [asker, ...linked];
    const share = asker.odd / Math.max(1, asker.rows);
    const calmest = suspicious(Number.NEGATIVE_INFINITY);
    const quiet = calmest.filter(({ part }) => part < SUSPICIOUS * one).length;
    return {
      at: sighting.at,
      severity: gravity(score, alone ? one : all),
      principals: named.map(({ name }) => name),
      subject,
      title:
        named.length > 1
          ? `${named.length} clients seem to copy ${setting.model} together`
          : `${asker.name} seems to copy ${setting.model}`,
      why:
        `What ${asker.name} asks is not distributed as calm clients' queries: ${percent(share)} of its queries are odd by themselves, where ${percent(watch.usual())} are usual, and the odds against a calm client are ${odds(score)} (alarm from ${odds(alone ? one : all)}). ` +
        (named.length > 1
          ? `${named.length} clients deviate ${alone ? 'in the same direction' : 'at once'} and are taken for one. `
          : '') +
        `It looks like an attack and not like drift because ${quiet} of ${calmest.length} clients ask as before; what all have in common was taken off first.`,
      score,
      threshold: alone ? one : all,
      first: Math.min(...named.map(({ first }) => first)),
      last: sighting.at,
      queries: named.reduce((sum, { asked }) => sum + asked, 0),
      decisions: named.flatMap(({ shown }) => shown),
      atlas: ['AML.T0024.002', 'AML.T0048.004'],
      figures: {
        'odd share': share,
        'usual odd share': watch.usual(),
        'ln evidence of the shift': asker.shifted,
        'ln evidence of odd queries': asker.chances.evidence(),
        'clients named': named.length,
        'calm clients': quiet,
      },
    };
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

function restore(
  { askers }: z.output<typeof keptState>,
  { now, before, centres, means, capitals, common }: Readonly<Record<string, unknown>>,
  watch: ReturnType<typeof watchOf>,
): void {
  const fits = (array: unknown, length: number): array is Float64Array =>
    array instanceof Float64Array && array.length === length && array.every((value) => !Number.isNaN(value));
  const n = askers.length;
  if (
    !fits(now, n * ROW) ||
    !fits(before, n * ROW) ||
    !fits(centres, n * ROW) ||
    !fits(means, n * ROW) ||
    !fits(capitals, n * CAPITALS) ||
    !fits(common, ROW)
  )
    return;
  watch.common.set(common);
  for (const [i, [name, count, nBefore, rows, odd, counted, asked, first, last, shown]] of askers.entries()) {
    const asker = watch.known.at(name, () => freshAsker(name, first ?? 0));
    Object.assign(asker, {
      n: count,
      nBefore,
      rows,
      odd,
      counted,
      asked,
      last: last ?? 0,
      shown: [...shown],
    });
    asker.now.set(now.subarray(i * ROW, (i + 1) * ROW));
    asker.before.set(before.subarray(i * ROW, (i + 1) * ROW));
    asker.centre.set(centres.subarray(i * ROW, (i + 1) * ROW));
    asker.mean.set(means.subarray(i * ROW, (i + 1) * ROW));
    asker.chances.capitals.set(capitals.subarray(i * CAPITALS, (i + 1) * CAPITALS));
    asker.evidence = asker.chances.evidence();
  }
}

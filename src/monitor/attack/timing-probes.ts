import { z } from 'zod';
import { recent } from '../../detect/queries/recent.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { CAPITALS, openOddChances } from './odd-chances.ts';
import { odds } from './odds.ts';
import { openRunLength } from './run-length.ts';
import { scoreSeries } from './score-series.ts';
import { whoOf } from './sketched-rows.ts';

const fitSchema = z.strictObject({
  /** Share of a calm client's calls that repeat one of its last inputs exactly, and longest run of the same input. */
  repeats: z.number().gt(0).max(1),
  run: z.int().min(1),
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
  repeats: z.int().min(4).max(1e6).default(30).describe('Repeats of one input that are a probe at least.'),
  clients: z.int().min(16).max(65_536).default(1024).describe('Clients that are remembered.'),
});
type Options = z.output<typeof options>;

const LEAST_REPEATS = 0.05;

/** Inputs of one client that are remembered. */
const INPUTS = 8;

/** Intervals whose evenness is looked at. */
const PACES = 32;

interface Input {
  key: number;
  count: number;
  /** Latencies that were answered to it. */
  readonly buckets: Set<number>;
  /** Call of the client at which it came last. */
  last: number;
}

interface Client {
  readonly inputs: Input[];
  readonly chances: ReturnType<typeof openOddChances>;
  calls: number;
  repeats: number;
  first: number;
  at: number;
  readonly intervals: Float64Array;
  evidence: number;
  /** The input that is repeated most. */
  top: number;
  shown: string[];
}

/**
 * Timing probes: one client asks about the same inputs again and again and gets many latencies, which is how time is measured through noise. An exact repeat of one of its last inputs is an e-detector against the share of
 * calm clients' retries; how even its pace is, and how many latencies it met, is told and weighs: the evidence counts only from `repeats` repeats of one input on, and more than the calm runs were long.
 */
export const timingProbes = defineAttackKind<Options, Fit>({
  name: 'timing-probes',
  about: 'The same inputs asked again and again, to measure how long answers take.',
  options,
  kept: fitSchema,
  toJson: (fit) => fit,
  learns: { sketched: true, calls: 3000 },
  fit(calm, given) {
    if (calm.length < 500) return undefined;
    const first = watchOf({ repeats: LEAST_REPEATS, run: 1, calm: 0, calls: 0 }, given);
    const seen = new Map<string, Client>();
    let run = 1;
    for (const sighting of calm) {
      const client = first.take(sighting);
      if (client === undefined) continue;
      seen.set(whoOf(sighting), client);
      run = Math.max(run, client.top);
    }
    let repeats = LEAST_REPEATS;
    for (const client of seen.values())
      if (client.calls >= 50) repeats = Math.max(repeats, (1.2 * client.repeats) / client.calls);
    const fit: Fit = { repeats: Math.min(0.9, repeats), run, calm: 0, calls: calm.length };
    const second = watchOf(fit, given);
    for (const sighting of calm) fit.calm = Math.max(fit.calm, second.take(sighting)?.evidence ?? 0);
    return fit;
  },
  open: openMonitor,
});

function watchOf(fit: Fit, { clients: most }: Options) {
  const clients = recent<string, Client>(most);
  return {
    clients,
    take(sighting: Sighting): Client | undefined {
      const { sketch, at } = sighting;
      if (sketch === undefined) return undefined;
      const client = clients.at(whoOf(sighting), () => ({
        ...{ inputs: [], chances: openOddChances(), calls: 0, repeats: 0, first: at, at },
        ...{ intervals: new Float64Array(PACES), evidence: Number.NEGATIVE_INFINITY, top: 1, shown: [] },
      }));
      client.intervals[client.calls % PACES] = at - client.at;
      client.at = at;
      client.calls++;
      const key = keyOf(sketch.values, sketch.width);
      let input = client.inputs.find((each) => each.key === key);
      const isRepeat = input !== undefined;
      if (input === undefined) {
        input = { key, count: 0, buckets: new Set(), last: 0 };
        if (client.inputs.length < INPUTS) client.inputs.push(input);
        else {
          let oldest = 0;
          for (let i = 1; i < INPUTS; i++)
            if (client.inputs[i]!.last < client.inputs[oldest]!.last) oldest = i;
          client.inputs[oldest] = input;
        }
      }
      input.count++;
      input.last = client.calls;
      if (input.buckets.size < 16) input.buckets.add(sighting.bucket);
      client.top = 1;
      for (const { count } of client.inputs) client.top = Math.max(client.top, count);
      client.chances.take(isRepeat, fit.repeats);
      if (isRepeat) {
        client.repeats++;
        client.shown.unshift(sighting.id);
        if (client.shown.length > 8) client.shown.pop();
      }
      client.evidence = client.chances.evidence();
      return client;
    },
  };
}

/** A hash of the first sample's sketch: 53 bits. */
function keyOf(values: Float32Array, width: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, width);
  let [a, b] = [0x811c9dc5, 0x5bd1e995];
  for (let i = 0; i < width; i++) {
    a = Math.imul(a ^ bits[i]!, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b + bits[i]!, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) & 0x1fffff);
}

const keptState = z.strictObject({
  perDay: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
  clients: z
    .array(z.tuple([z.string(), z.array(z.number()).length(CAPITALS), z.number(), z.number(), z.number()]))
    .max(65_536),
});

function openMonitor(fit: Fit, given: Options, setting: MonitorSetting, state?: { readonly plain: unknown }) {
  const watch = watchOf(fit, given);
  const read = keptState.safeParse(state?.plain).data;
  const run = openRunLength(given.budget, read?.perDay);
  const desk = openDesk('timing-probes', setting, read?.said);
  const series = scoreSeries();
  for (const [who, capitals, calls, repeats, first] of read?.clients ?? [])
    watch.clients.at(who, () => ({
      ...{ inputs: [], chances: openOddChances(capitals), calls, repeats, first, at: first },
      ...{ intervals: new Float64Array(PACES), evidence: Number.NEGATIVE_INFINITY, top: 1, shown: [] },
    }));
  const threshold = () => Math.max(run.log(), 1.25 * fit.calm + 3);
  let now = 0;
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings) {
        const client = watch.take(sighting);
        if (client === undefined) continue;
        run.take(sighting.at);
        now = Math.max(now, sighting.at);
        const { evidence, top } = client;
        const limit = threshold();
        series.take(sighting.at, Math.max(0, evidence));
        if (evidence <= limit || top < given.repeats || top <= 1.5 * fit.run) continue;
        const who = whoOf(sighting);
        const subject = `timing-probes ${who}`;
        if (!desk.isDue(subject, sighting.at, evidence)) continue;
        const input = client.inputs.reduce((most, each) => (each.count > most.count ? each : most));
        const even = evenness(client.intervals);
        alarms.push(
          desk.say({
            ...{
              at: sighting.at,
              severity: 'medium',
              principals: [who],
              subject,
              score: evidence,
              threshold: limit,
            },
            title: `${who} measures how long ${setting.model} takes`,
            why: `It asked about one input ${top} times (calm clients ${fit.run} times at most) and met ${input.buckets.size} latencies; ${client.repeats} of its ${client.calls} calls are exact repeats, where ${(100 * fit.repeats).toFixed(0)} % are granted. The odds against a client that retries are ${odds(evidence)} (alarm from ${odds(limit)}). Its pace is ${even < 0.1 ? 'even, as a program’s that measures' : 'uneven'}. It looks like an attack and not like drift because the answers do not change and nobody else does it.`,
            first: client.first,
            last: sighting.at,
            queries: client.calls,
            decisions: [sighting.id, ...client.shown],
            atlas: ['AML.T0024.000', 'AML.T0024.002'],
            figures: {
              'most repeats': top,
              repeats: client.repeats,
              calls: client.calls,
              latencies: input.buckets.size,
              'variation of the pace': even,
            },
          }),
        );
      }
      return alarms;
    },
    state: () => {
      const parts = [...watch.clients.entries()]
        .map(([name, { evidence, top }]) => ({
          name,
          score: top >= given.repeats && top > 1.5 * fit.run ? Math.max(0, evidence) : 0,
        }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, 64);
      return {
        phase: now - desk.last() < 600_000 ? ('alarmed' as const) : ('watching' as const),
        score: parts[0]?.score ?? 0,
        threshold: threshold(),
        series: series.points(),
        falseAlarms: { budgetPerDay: given.budget, on: fit.calls },
        parts,
      };
    },
    keep: () => ({
      plain: {
        perDay: run.perDay(),
        said: desk.keep(),
        clients: [...watch.clients.entries()].map(([who, { chances, calls, repeats, first }]) => [
          ...[who, [...chances.capitals], calls, repeats, first],
        ]),
      },
      arrays: {},
    }),
  };
}

/** Deviation of the intervals as a share of their mean; small is even. */
function evenness(intervals: Float64Array): number {
  const mean = intervals.reduce((sum, each) => sum + each, 0) / intervals.length;
  const squares = intervals.reduce((sum, each) => sum + (each - mean) ** 2, 0) / intervals.length;
  return mean > 0 ? Math.sqrt(squares) / mean : 1;
}

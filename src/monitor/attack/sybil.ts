import { z } from 'zod';
import { packedFloats, packFloats } from '../../detect/packed-floats.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { gravity, openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { cellRowsOf, cellsOfFeatures, scaleOf, usualDistances } from './cell-rows.ts';
import { evidenceOf, openTies, type TiedClient } from './client-ties.ts';
import { FEWEST_KEYS, PART } from './crowd.ts';
import { odds } from './odds.ts';
import { openRunLength } from './run-length.ts';
import { scoreSeries } from './score-series.ts';

const share = z.number().gt(0).max(1);
const fitSchema = z.strictObject({
  cells: z.int().min(0).max(4096),
  scale: packedFloats(4096),
  /** 0 where inputs are not sketched. */
  radius: z.number().min(0),
  /** Share of a calm client's queries that are near another client's, and of its turns that follow the same client as the turn before. */
  shared: share,
  turns: share,
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
  clients: z.int().min(16).max(65_536).default(1024).describe('Clients that are remembered.'),
  queries: z
    .literal([1024, 2048, 4096, 8192, 16_384])
    .default(4096)
    .describe('Queries of everybody that are remembered.'),
});
type Options = z.output<typeof options>;

const LEAST_SHARED = 0.02;
const LEAST_TURNS = 0.05;

/** Calls, and turns, from which a calm client's shares say something. */
const FEWEST = 100;

/**
 * Many keys that behave as one: their queries lie beside each other's (a walk or a set that is shared out), or they take turns in an order that repeats. Each client has two e-detectors, "near another client's query" and
 * "its turn came right after the same client's as last time", the second against that client's own part of all turns. Clients that met form a group, whose evidence is the product of theirs (each diluted by its prior chance); what
 * else they have in common (address, credential, tenant) is told, and not counted: colleagues have that, too.
 *
 * Popular pictures that are sent bit for bit are no meeting. A group is told from {@link FEWEST_KEYS} keys on; who met others as often as the group is not named, nor who is tied to it by the other kind of tie alone.
 */
export const sybil = defineAttackKind<Options, Fit>({
  name: 'sybil',
  about: 'Many keys, addresses or tenants that behave as one.',
  options,
  kept: fitSchema,
  toJson: (fit) => ({ ...fit, scale: packFloats(fit.scale) }),
  learns: { sketched: false, calls: 5000 },
  fit(calm, given, setting) {
    if (calm.length < 1000) return undefined;
    const cells = cellsOfFeatures(setting.features);
    const rows = calm.flatMap((sighting) => cellRowsOf(sighting, setting.features.length, cells));
    const scale = rows.length > 0 ? scaleOf(rows, setting.features, cells) : new Float32Array(cells).fill(1);
    const radius = usualDistances(rows, scale, cells)?.radius ?? 0;
    const fit: Fit = {
      ...{ cells, scale, radius, shared: LEAST_SHARED, turns: LEAST_TURNS, calm: 0, calls: calm.length },
    };
    const first = openTies(fit, given, setting);
    for (const sighting of calm) first.take(sighting);
    for (const [, { calls, sharedCount, turnsTaken, turnCount }] of first.clients.entries()) {
      if (calls >= FEWEST) fit.shared = Math.min(0.9, Math.max(fit.shared, (1.5 * sharedCount) / calls));
      if (turnsTaken >= FEWEST)
        fit.turns = Math.min(0.9, Math.max(fit.turns, (1.5 * turnCount) / turnsTaken));
    }
    const second = openTies(fit, given, setting);
    for (const sighting of calm) {
      const client = second.take(sighting);
      if (client !== undefined) fit.calm = Math.max(fit.calm, second.groupOf(client).evidence);
    }
    return fit;
  },
  open: openMonitor,
});

const keptState = z.strictObject({
  perDay: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
});

/** What is remembered of clients is not kept over a restart: keys that go on as one are noticed again within some dozens of calls. */
function openMonitor(fit: Fit, given: Options, setting: MonitorSetting, state?: { readonly plain: unknown }) {
  const watch = openTies(fit, given, setting);
  const read = keptState.safeParse(state?.plain).data;
  const run = openRunLength(given.budget, read?.perDay);
  const desk = openDesk('sybil', setting, read?.said);
  const series = scoreSeries();
  const threshold = () => Math.max(run.log(), 1.25 * fit.calm + 3);
  let now = 0;
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings) {
        run.take(sighting.at);
        now = Math.max(now, sighting.at);
        const client = watch.take(sighting);
        if (client === undefined || evidenceOf(client) < PART) continue;
        const { members, named, evidence } = watch.groupOf(client);
        series.take(sighting.at, Math.max(0, evidence));
        const limit = threshold();
        if (evidence <= limit || named.length < FEWEST_KEYS) continue;
        const names = named.map(({ name }) => name);
        // A key that comes in later is news.
        if (!names.some((name) => desk.isDue(`sybil ${name}`, sighting.at, evidence))) continue;
        const subject = `sybil ${[...names].sort()[0]}`;
        for (const name of names) desk.note(`sybil ${name}`, sighting.at, evidence);
        const one = (of: (each: TiedClient) => string | undefined) => {
          const all = new Set(named.map(of));
          return all.size === 1 && !all.has(undefined);
        };
        const common = [
          one(({ address }) => address) && 'one address',
          one(({ credential }) => credential) && 'one credential',
          one(({ tenant }) => tenant) && 'one tenant',
        ].filter((each) => each !== false);
        const born = named.map(({ first }) => first);
        const calls = named.reduce((sum, each) => sum + each.calls, 0);
        alarms.push(
          desk.say({
            ...{
              at: sighting.at,
              severity: gravity(evidence, limit),
              subject,
              score: evidence,
              threshold: limit,
            },
            principals: names,
            title: `${names.length} clients behave as one on ${setting.model}`,
            why: `${named.reduce((sum, { sharedCount }) => sum + sharedCount, 0)} of their ${calls} calls ask beside a query of another client, and ${named.reduce((sum, { turnCount }) => sum + turnCount, 0)} of their turns come after the same client's as the turn before; calm clients share at most ${(100 * fit.shared).toFixed(1)} % and follow in at most ${(100 * fit.turns).toFixed(1)} %. The odds against separate clients are ${odds(evidence)} (alarm from ${odds(limit)}). ${common.length > 0 ? `They have ${common.join(', ')} in common. ` : ''}It looks like an attack and not like drift because only these clients are tied to each other; ${Math.max(0, watch.clients.size() - names.length)} others are not.`,
            first: Math.min(...born),
            last: sighting.at,
            queries: calls,
            decisions: [sighting.id, ...named.flatMap(({ shown }) => shown)],
            atlas: ['AML.T0024.002', 'AML.T0043.001', 'AML.T0074'],
            figures: {
              clients: names.length,
              'clients tied to them': members.length - names.length,
              'near another client': named.reduce((sum, { sharedCount }) => sum + sharedCount, 0),
              'in turn': named.reduce((sum, { turnCount }) => sum + turnCount, 0),
              'first seen within hours': (Math.max(...born) - Math.min(...born)) / 3_600_000,
              common,
            },
          }),
        );
      }
      return alarms;
    },
    state: () => {
      const parts = [...watch.clients.entries()]
        .map(([name, client]) => ({ name, score: Math.max(0, evidenceOf(client)) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, 64);
      return {
        phase: now - desk.last() < 600_000 ? ('alarmed' as const) : ('watching' as const),
        score: series.points().at(-1)?.[1] ?? 0,
        threshold: threshold(),
        series: series.points(),
        falseAlarms: { budgetPerDay: given.budget, on: fit.calls },
        parts,
      };
    },
    keep: () => ({ plain: { perDay: run.perDay(), said: desk.keep() }, arrays: {} }),
  };
}

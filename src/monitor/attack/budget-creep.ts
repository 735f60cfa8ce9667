import { z } from 'zod';
import { recent } from '../../detect/queries/recent.ts';
import type { Alarm } from '../alarm.ts';
import type { MonitorSetting } from '../monitor.ts';
import type { Sighting } from '../sighting.ts';
import { openDesk } from './alarm-desk.ts';
import { defineAttackKind } from './attack-kind.ts';
import { CAPITALS, openOddChances } from './odd-chances.ts';
import { odds } from './odds.ts';
import { scoreSeries } from './score-series.ts';
import { whoOf } from './sketched-rows.ts';

const fitSchema = z.strictObject({
  /** Samples of an hour that 99 of 100 calm clients' hours stay below. */
  high: z.number().gt(0),
  /** Share of calm hours in the upper part below the client's own highest hour. */
  plateau: z.number().gt(0).max(1),
  clients: z.int().min(0),
  calls: z.int().min(0),
});
type Fit = z.output<typeof fitSchema>;

const options = z.strictObject({
  limit: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Samples that one client may ask about in an hour; without, the least at which one was refused for its use.',
    ),
  near: z.number().gt(0).lt(1).default(0.8).describe('From which share of the limit use is just below it.'),
  days: z.number().gt(0).max(365).default(2).describe('Days of such use that are a lasting one.'),
  clients: z.int().min(16).max(65_536).default(4096).describe('Clients that are remembered.'),
});
type Options = z.output<typeof options>;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Days that are compared with each other, and the share of hours near the limit that anybody is granted. */
const DAYS = 14;
const LEAST_PLATEAU = 0.1;

/** Odds at which lasting use and rising use are told. */
const TOLD = Math.log(1e6);

interface Client {
  hour: number;
  used: number;
  /** Whether it was refused for its use in this hour. */
  refused: boolean;
  day: number;
  today: number;
  /** Samples of the days before, the oldest first. */
  days: number[];
  /** ln of the evidence that days rise. */
  rising: number;
  readonly near: ReturnType<typeof openOddChances>;
  /** Hours just below the limit. */
  hours: number;
  first: number;
  queries: number;
  shown: string[];
}

/**
 * Use that stays just below a limit for long, and use that climbs day by day: what is left to see of a thief who asks what calm clients ask. Hours below the limit (from `near` of it, never refused) are an e-detector against the
 * share that calm clients have; days are bets on their rank among the days before, `e = ½ p^−½` with p the share of days that were at least as busy, which has mean at most 1 while days are exchangeable.
 *
 * Severity is low: the same may be a customer who grows. It says who to look at.
 */
export const budgetCreep = defineAttackKind<Options, Fit>({
  name: 'budget-creep',
  about: 'Use that stays just below limits for long, or climbs steadily.',
  options,
  kept: fitSchema,
  toJson: (fit) => fit,
  learns: { sketched: false, calls: 5000 },
  fit(calm) {
    const hours = new Map<string, number>();
    for (const sighting of calm) {
      const key = `${whoOf(sighting)}\n${Math.floor(sighting.at / HOUR)}`;
      hours.set(key, (hours.get(key) ?? 0) + sighting.n);
    }
    const used = [...hours.values()].sort((a, b) => a - b);
    if (calm.length < 500) return undefined;
    const high = Math.max(1, used[Math.floor(0.99 * used.length)]!);
    const most = new Map<string, number>();
    for (const [key, n] of hours) {
      const who = key.slice(0, key.lastIndexOf('\n'));
      most.set(who, Math.max(most.get(who) ?? 0, n));
    }
    let near = 0;
    for (const [key, n] of hours) if (n >= 0.8 * most.get(key.slice(0, key.lastIndexOf('\n')))!) near++;
    return {
      high,
      plateau: Math.min(0.5, Math.max(LEAST_PLATEAU, near / used.length)),
      clients: most.size,
      calls: calm.length,
    };
  },
  open: openMonitor,
});

const keptState = z.strictObject({
  said: z.array(z.tuple([z.string(), z.number(), z.number()])).max(2048),
  limit: z.number().nullable(),
  clients: z
    .array(
      z.strictObject({
        who: z.string(),
        ...{ hour: z.number(), used: z.number(), refused: z.boolean(), day: z.number(), today: z.number() },
        days: z.array(z.number()).max(DAYS),
        ...{ rising: z.number(), hours: z.number(), first: z.number(), queries: z.number() },
        near: z.array(z.number()).length(CAPITALS),
        shown: z.array(z.string()).max(8),
      }),
    )
    .max(65_536),
});

function openMonitor(fit: Fit, given: Options, setting: MonitorSetting, state?: { readonly plain: unknown }) {
  const read = keptState.safeParse(state?.plain).data;
  const clients = recent<string, Client>(given.clients);
  const desk = openDesk('budget-creep', setting, read?.said);
  const series = scoreSeries(HOUR);
  let seenLimit = read?.limit ?? Number.POSITIVE_INFINITY;
  for (const { who, near, days, shown, ...kept } of read?.clients ?? [])
    clients.at(who, () => ({ ...kept, days: [...days], shown: [...shown], near: openOddChances(near) }));
  const limitOf = () => given.limit ?? (Number.isFinite(seenLimit) ? seenLimit : undefined);
  const fresh = ({ at }: Sighting): Client => ({
    ...{ hour: Math.floor(at / HOUR), used: 0, refused: false, day: Math.floor(at / DAY), today: 0 },
    ...{ days: [], rising: 0, near: openOddChances(), hours: 0, first: at, queries: 0, shown: [] },
  });
  const endHour = (client: Client): void => {
    const limit = limitOf();
    if (limit !== undefined && client.used > 0) {
      const isNear = !client.refused && client.used >= given.near * limit && client.used > fit.high;
      client.near.take(isNear, fit.plateau);
      if (isNear) client.hours++;
    }
    [client.used, client.refused] = [0, false];
  };
  const endDay = (client: Client): void => {
    const { days, today } = client;
    if (days.length >= 4) {
      const p = (1 + days.filter((each) => each >= today).length) / (1 + days.length);
      client.rising = Math.max(0, client.rising + Math.log(0.5 / Math.sqrt(p)));
    }
    days.push(today);
    if (days.length > DAYS) days.shift();
    client.today = 0;
  };
  const scoreOf = (client: Client) =>
    Math.max(client.rising, client.hours >= 24 * given.days ? client.near.evidence() : 0) / TOLD;
  let now = 0;
  return {
    see(sightings: readonly Sighting[]): readonly Alarm[] {
      const alarms: Alarm[] = [];
      for (const sighting of sightings) {
        now = Math.max(now, sighting.at);
        const who = whoOf(sighting);
        const client = clients.at(who, () => fresh(sighting));
        const [hour, day] = [Math.floor(sighting.at / HOUR), Math.floor(sighting.at / DAY)];
        let ended = false;
        // What comes late counts for the hour of now.
        if (hour > client.hour) {
          endHour(client);
          client.hour = hour;
          ended = true;
        }
        if (day > client.day) {
          endDay(client);
          client.day = day;
        }
        // A rate limit is about seconds: only a budget that is used up says how much was allowed.
        if (sighting.outcome === 'exhausted') {
          client.refused = true;
          if (client.used > fit.high) seenLimit = Math.min(seenLimit, client.used);
        } else if (sighting.outcome !== 'throttled') {
          client.used += sighting.n;
          client.today += sighting.n;
          client.queries += sighting.n;
        }
        if (client.shown.length < 8) client.shown.push(sighting.id);
        if (!ended) continue;
        const score = scoreOf(client);
        series.take(sighting.at, score);
        const subject = `budget-creep ${who}`;
        if (score <= 1 || !desk.isDue(subject, sighting.at, score)) continue;
        const limit = limitOf();
        const isRising = client.rising / TOLD >= score;
        alarms.push(
          desk.say({
            ...{ at: sighting.at, severity: 'low', principals: [who], subject, score, threshold: 1 },
            title: `${who} ${isRising ? 'asks more day by day' : 'stays just below its limit'}`,
            why: isRising
              ? `Its days, the oldest first, have ${client.days.join(', ')} samples; the odds against days in any order are ${odds(client.rising)}. It looks like somebody's plan and not like drift because it is one client; a customer who grows looks the same, so ask.`
              : `In ${client.hours} hours it used ${Math.round(100 * given.near)} % or more of the ${limit} samples an hour that are allowed, and was never refused then; 99 of 100 hours of calm clients stay below ${fit.high}. It looks like somebody who knows the limit; drift would not stop there.`,
            first: client.first,
            last: sighting.at,
            queries: client.queries,
            decisions: [sighting.id, ...client.shown],
            atlas: ['AML.T0024.002', 'AML.T0034.000'],
            figures: {
              'hours near the limit': client.hours,
              days: client.days,
              ...(limit !== undefined && { limit }),
            },
          }),
        );
      }
      return alarms;
    },
    state: () => {
      const parts = [...clients.entries()]
        .map(([name, client]) => ({ name, score: scoreOf(client) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, 64);
      return {
        phase: now - desk.last() < DAY ? ('alarmed' as const) : ('watching' as const),
        score: parts[0]?.score ?? 0,
        threshold: 1,
        series: series.points(),
        parts,
      };
    },
    keep: () => ({
      plain: {
        said: desk.keep(),
        limit: Number.isFinite(seenLimit) ? seenLimit : null,
        clients: [...clients.entries()].map(([who, { near, ...rest }]) => ({
          ...{ who, near: [...near.capitals] },
          ...rest,
        })),
      },
      arrays: {},
    }),
  };
}

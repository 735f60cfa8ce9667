import type { Store, TrafficRow } from '../../../store/index.ts';
import type { Totals, Traffic } from '../../console/api.ts';
import { STAGES } from '../../stages.ts';
import { countDistinct } from './distinct.ts';
import { quantile } from './histogram.ts';
import { addRow, newSums, type Sums } from './sums.ts';
import { ALL, SPANS } from './traffic-counter.ts';

/** Steps of a chart at most. */
const MOST_STEPS = 300;
const [MINUTE, TEN_MINUTES, HOUR] = SPANS;

/** What the overview shows of the traffic. */
export interface TrafficOverview {
  readonly hour: Totals;
  readonly before: Totals;
  readonly day: readonly (readonly [at: number, answered: number, refused: number])[];
  /** Of the last minute or two, by model. */
  readonly models: ReadonlyMap<string, { readonly perSecond: number; readonly p99: number | undefined }>;
}

/** Reads sums of traffic: of all gateways of the store, up to a few seconds ago. Errors: those of the store. */
export function trafficQueries({ reader }: Pick<Store, 'reader'>) {
  const rows = (span: number, model: string | undefined, from: number, to: number): Promise<TrafficRow[]> => {
    let query = reader
      .selectFrom('traffic')
      .selectAll()
      .where('span', '=', span)
      .where('at', '>=', from)
      .where('at', '<=', to);
    if (model !== undefined) query = query.where('model', '=', model);
    return query.execute();
  };
  return {
    /** Traffic between two times, in at most 300 steps; of one model, or of all. */
    async traffic(of: {
      readonly model?: string | undefined;
      readonly from: number;
      readonly to: number;
    }): Promise<Traffic> {
      const to = Math.max(of.from, of.to);
      const { span, step } = stepFor(to - of.from);
      const begin = of.from - (of.from % step);
      const found = await rows(span, of.model ?? ALL, begin, to);
      const steps = new Map<number, Sums>();
      for (let at = begin; at <= to; at += step) steps.set(at, newSums());
      const whole = newSums();
      for (const row of found) {
        const sums = steps.get(row.at - (row.at % step));
        if (sums !== undefined) addRow(sums, row);
        addRow(whole, row);
      }
      return {
        step,
        points: [...steps].map(([at, { answered, refusals, samples, latencies }]) => ({
          at,
          answered,
          refused: Object.fromEntries(refusals),
          samples,
          p50: quantile(latencies, 0.5),
          p99: quantile(latencies, 0.99),
        })),
        stages: STAGES.flatMap((stage) => {
          const sums = whole.stages[stage];
          const count = sums?.latencies.reduce((all, one) => all + one, 0) ?? 0;
          if (sums === undefined || count === 0) return [];
          return [{ stage, mean: sums.sum / count, p99: quantile(sums.latencies, 0.99)! }];
        }),
        guards: [...whole.guards]
          .flatMap(([model, guards]) =>
            [...guards].map(([guard, [pass, flag, degrade, refuse]]) => ({
              ...{ guard, model, pass, flag, degrade, refuse },
            })),
          )
          .sort((a, b) => compare(a.model, b.model) || compare(a.guard, b.guard)),
      };
    },
    /** What the overview shows. */
    async overview(now: number): Promise<TrafficOverview> {
      const minute = now - (now % MINUTE);
      const begin = minute - MINUTE;
      const day = now - (now % TEN_MINUTES) - 143 * TEN_MINUTES;
      const [hours, recent, tens] = await Promise.all([
        rows(MINUTE, ALL, minute - 2 * HOUR + MINUTE, now),
        rows(MINUTE, undefined, begin, now),
        rows(TEN_MINUTES, ALL, day, now),
      ]);
      const [hour, before] = [newSums(), newSums()];
      for (const row of hours) addRow(row.at > minute - HOUR ? hour : before, row);
      const models = new Map<string, Sums>();
      for (const row of recent) {
        if (row.model === ALL) continue;
        const sums = models.get(row.model) ?? newSums();
        models.set(row.model, sums);
        addRow(sums, row);
      }
      const steps = new Map<number, Sums>();
      for (let at = day; at <= now; at += TEN_MINUTES) steps.set(at, newSums());
      for (const { more: _, ...row } of tens) addRow(steps.get(row.at) ?? newSums(), row);
      const seconds = (now - begin) / 1000;
      return {
        hour: totalsOf(hour),
        before: totalsOf(before),
        day: [...steps].map(([at, { answered, refused }]) => [at, answered, refused] as const),
        models: new Map(
          [...models].map(([model, { answered, refused, latencies }]) => [
            model,
            { perSecond: (answered + refused) / seconds, p99: quantile(latencies, 0.99) },
          ]),
        ),
      };
    },
  };
}

/** The finest sums with which a span of time has at most 300 steps, and the step. */
function stepFor(length: number): { readonly span: number; readonly step: number } {
  for (const span of SPANS) if (length / span < MOST_STEPS) return { span, step: span };
  const span = SPANS[SPANS.length - 1]!;
  return { span, step: span * Math.ceil((length + 1) / span / (MOST_STEPS - 1)) };
}

function totalsOf({ answered, refused, samples, flagged, clients }: Sums): Totals {
  return {
    requests: answered + refused,
    samples,
    answered,
    refused,
    clients: countDistinct(clients),
    flagged,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import type { Case } from '../../incident/case.ts';
import type { Containment, Order } from '../../incident/order.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { ClientDetail, ClientRow, Overview, Page, Traffic } from '../console/api.ts';
import { budgetRunningOut } from '../limits/burn-down.ts';
import type { OpenBudgets } from '../limits/index.ts';
import { CLIENT_ORDERS, type ClientQuery, type ClientTotals } from '../observe/rollups/client-queries.ts';
import type { Rollups } from '../observe/rollups/open-rollups.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import type { Health } from './health-routes.ts';
import { textFrom, wholeFrom } from './query-values.ts';
import { type ManagementRoute, route } from './route.ts';

const HOUR = 3_600_000;
/** Models of a client whose budgets are looked at, and decisions that are shown with it. */
const MOST_MODELS = 8;
const MOST_DECISIONS = 20;

/** What the routes about traffic look at. */
export interface TrafficParts {
  readonly rollups: Pick<Rollups, 'traffic' | 'clients'>;
  readonly budgets: Pick<OpenBudgets, 'uses'>;
  readonly containment: Pick<Containment, 'active'>;
  readonly live: Pick<OpenLiveLog, 'page' | 'state'>;
  readonly now: () => number;
  /** When this server started, milliseconds since 1970. */
  readonly since: number;
  readonly health: () => readonly Health[];
  readonly models: () => readonly ModelStatus[];
  /** Whether a monitor of this model is beyond its threshold now. */
  readonly alarmed: (model: string) => boolean;
  /** Cases that are not closed, the newest first. */
  readonly cases: () => Promise<readonly Case[]>;
  /** Cases about a principal, the newest first. */
  readonly casesOf: (principal: string) => Promise<readonly Case[]>;
  /** Decisions that wait for a person. */
  readonly reviews: () => Promise<number>;
}

/** How the traffic is, and who makes it. */
export function trafficRoutes(parts: TrafficParts): readonly ManagementRoute[] {
  const { rollups, live, now, containment } = parts;
  const rowsOf = async (
    found: readonly ClientTotals[],
    model: string | undefined,
  ): Promise<readonly ClientRow[]> => {
    const principals = found.map(({ principal }) => principal);
    const [models, speeds] = await Promise.all([
      model === undefined ? rollups.clients.models(principals) : new Map<string, readonly string[]>(),
      rollups.clients.lastDay(principals, now()),
    ]);
    const active = containment.active();
    return Promise.all(
      found.map(async (totals): Promise<ClientRow> => {
        const { principal, tenant } = totals;
        const asked = model === undefined ? (models.get(principal) ?? []).slice(0, MOST_MODELS) : [model];
        const uses = await Promise.all(
          asked.map((each) => parts.budgets.uses({ id: principal, tenant }, each)),
        );
        const budget = budgetRunningOut(uses.flat(), { perDay: speeds.get(principal) ?? 0, now: now() });
        return {
          ...totals,
          ...(budget && { budget }),
          orders: active.filter((order) => isAbout(order, totals)),
        };
      }),
    );
  };
  return [
    route({
      method: 'GET',
      path: '/api/overview',
      about: 'What is served, whether it is well, and what needs a person.',
      action: 'incident.read',
      async run() {
        const time = now();
        const [figures, cases, reviews, log] = await Promise.all([
          rollups.traffic.overview(time),
          parts.cases(),
          parts.reviews(),
          live.state(),
        ]);
        const { hour, before, day, models } = figures;
        const overview: Overview = {
          ...{ now: time, since: parts.since, hour, before, day, cases, reviews },
          health: parts.health().map(({ part, ok, because }) => ({
            part,
            ok,
            ...(because !== undefined && { because }),
          })),
          models: parts.models().map((status) => ({
            ...status,
            perSecond: models.get(status.model)?.perSecond ?? 0,
            p99: models.get(status.model)?.p99,
            alarmed: parts.alarmed(status.model),
          })),
          orders: containment.active(),
          log: { size: log.size, at: log.at, root: log.root },
        };
        return { json: overview };
      },
    }),
    route({
      method: 'GET',
      path: '/api/traffic',
      about:
        'Answers, refusals, latencies, stages and verdicts over time: ?model=, ?from=, ?to=; the last hour unless given.',
      action: 'metrics.read',
      async run({ query }) {
        const to = wholeFrom(query.to, 'to') ?? now();
        const from = wholeFrom(query.from, 'from') ?? Math.max(0, to - HOUR);
        const traffic: Traffic = await rollups.traffic.traffic({
          model: textFrom(query.model, 'model'),
          from: Math.min(from, to),
          to,
        });
        return { json: traffic };
      },
    }),
    route({
      method: 'GET',
      path: '/api/clients',
      about:
        'Clients with their sums: ?model=, ?find=, ?sort=requests|refused|flagged|budget, ?before=, ?most=.',
      action: 'incident.read',
      async run({ query }) {
        const asked: ClientQuery = {
          model: textFrom(query.model, 'model'),
          find: textFrom(query.find, 'find'),
          sort: CLIENT_ORDERS.find((each) => each === query.sort),
          before: textFrom(query.before, 'before'),
          most: wholeFrom(query.most, 'most'),
        };
        const page = await rollups.clients.page(asked);
        const rows = await rowsOf(page.rows, asked.model);
        return {
          json: { rows, ...(page.next !== undefined && { next: page.next }) } satisfies Page<ClientRow>,
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/clients/:id',
      about: 'A client: its sums, its days, its last decisions and the cases about it.',
      action: 'incident.read',
      async run({ params, may }) {
        const principal = params.id!;
        const found = await rollups.clients.client(principal);
        if (found === undefined) return { json: { error: 'no such client, or none yet' }, status: 404 };
        const reveal = may('log.payload');
        const [[row], days, decisions, cases] = await Promise.all([
          rowsOf([found], undefined),
          rollups.clients.days(principal),
          // A sealed log does not tell everybody who asked.
          may('log.read')
            ? live.page({ principal, most: MOST_DECISIONS }, reveal).catch(() => ({ rows: [] }))
            : { rows: [] },
          parts.casesOf(principal),
        ]);
        return { json: { ...row!, days, decisions: decisions.rows, cases } satisfies ClientDetail };
      },
    }),
  ];
}

/** Whether a measure may meet a client. */
function isAbout({ target }: Order, { principal, tenant }: ClientTotals): boolean {
  if (target.principal === undefined && target.tenant === undefined) return false;
  return (
    (target.principal === undefined || target.principal === principal) &&
    (target.tenant === undefined || target.tenant === tenant)
  );
}

import { GlacisError } from '../../core/error.ts';
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
import type { Veil } from './veil.ts';

const HOUR = 3_600_000;
/** Models of a client whose budgets are looked at, and decisions that are shown with it. */
const MOST_MODELS = 8;
const MOST_DECISIONS = 20;

/** What the routes about traffic look at. */
export interface TrafficParts {
  readonly rollups: Pick<Rollups, 'traffic' | 'clients'>;
  readonly budgets: Pick<OpenBudgets, 'uses'>;
  readonly containment: Pick<Containment, 'active'>;
  /** Whose key it is; undefined for one that is not known. */
  readonly holderOf: (credential: string) => string | undefined;
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
  /** Names of callers for those who may not open what the log seals; undefined where it seals nobody. */
  readonly veil: Veil | undefined;
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
          orders: active.filter((order) => isAbout(order, totals, parts.holderOf)),
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
      async run({ query, may }) {
        const veil = may('log.payload') ? undefined : parts.veil;
        const [find, before] = [textFrom(query.find, 'find'), textFrom(query.before, 'before')];
        // Otherwise the search would tell what the seal hides.
        if (veil && find !== undefined && veil.seen(find) === undefined)
          throw new GlacisError(
            'option/invalid',
            '?find=: expected the right to open what is sealed (log.payload), or a whole pseudonym: who asked is encrypted in this log',
          );
        const asked: ClientQuery = {
          model: textFrom(query.model, 'model'),
          find: veil && find !== undefined ? veil.seen(find) : find,
          sort: CLIENT_ORDERS.find((each) => each === query.sort),
          before: veil && before !== undefined ? (veil.seen(before) ?? before) : before,
          most: wholeFrom(query.most, 'most'),
        };
        const page = await rollups.clients.page(asked);
        const rows = await rowsOf(page.rows, asked.model);
        // A page ends with a name.
        const next = page.next !== undefined && veil ? veil.hide(page.next) : page.next;
        const shown = veil ? rows.map((row) => veiled(row, veil)) : rows;
        return { json: { rows: shown, ...(next !== undefined && { next }) } satisfies Page<ClientRow> };
      },
    }),
    route({
      method: 'GET',
      path: '/api/clients/:id',
      about: 'A client: its sums, its days, its last decisions and the cases about it.',
      action: 'incident.read',
      async run({ params, may }) {
        const reveal = may('log.payload');
        const veil = reveal ? undefined : parts.veil;
        const principal = veil ? (veil.seen(params.id!) ?? '') : params.id!;
        const found = await rollups.clients.client(principal);
        if (found === undefined) return { json: { error: 'no such client, or none yet' }, status: 404 };
        const [[row], days, decisions, cases] = await Promise.all([
          rowsOf([found], undefined),
          rollups.clients.days(principal),
          // A sealed log does not tell everybody who asked.
          may('log.read') && veil === undefined
            ? live.page({ principal, most: MOST_DECISIONS }, reveal).catch(() => ({ rows: [] }))
            : { rows: [] },
          // What a case is called names whom it is about.
          veil ? [] : parts.casesOf(principal),
        ]);
        const shown = veil ? veiled(row!, veil) : row!;
        return { json: { ...shown, days, decisions: decisions.rows, cases } satisfies ClientDetail };
      },
    }),
  ];
}

/** A row for somebody who may not know whose it is. Why there are measures may name them, too. */
function veiled(row: ClientRow, veil: Veil): ClientRow {
  const hide = (name: string | undefined) => (name === undefined ? undefined : veil.hide(name));
  return {
    ...row,
    principal: veil.hide(row.principal),
    tenant: veil.hide(row.tenant),
    orders: row.orders.map((order) => ({
      ...order,
      because: '',
      target: {
        ...order.target,
        principal: hide(order.target.principal),
        tenant: hide(order.target.tenant),
        credential: hide(order.target.credential),
      },
    })),
  };
}

/** Whether a measure may meet a client: by its name, its tenant, or a key of its. */
function isAbout(
  { target }: Order,
  { principal, tenant }: ClientTotals,
  holderOf: TrafficParts['holderOf'],
): boolean {
  const { credential } = target;
  if (target.principal === undefined && target.tenant === undefined && credential === undefined) return false;
  return (
    (target.principal === undefined || target.principal === principal) &&
    (target.tenant === undefined || target.tenant === tenant) &&
    (credential === undefined || holderOf(credential) === principal)
  );
}

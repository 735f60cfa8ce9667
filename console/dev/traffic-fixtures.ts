import { randomFrom } from '../../src/core/random.ts';
import { renderSplit, SIGN_SHAPE } from '../../src/data/traffic-signs/render.ts';
import type {
  ClientDetail,
  ClientRow,
  DecisionInput,
  Monitors,
  Overview,
  Totals,
  Traffic,
} from '../../src/gateway/console/api.ts';
import type { Fixture, FixtureCall } from './fixture-server.ts';
import { modelsOf } from './model-fixtures.ts';
import { paged } from './paging.ts';
import { DIGESTS, type World } from './world.ts';
import { classNamesOf, samplesAt } from './world-monitors.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Overview, traffic, clients, decisions and monitors. */
export const trafficFixtures: readonly Fixture[] = [
  { method: 'GET', path: '/api/overview', run: ({ world }) => overviewOf(world) },
  { method: 'GET', path: '/api/traffic', run: trafficOf },
  { method: 'GET', path: '/api/clients', run: ({ world, query }) => paged(clientRows(world, query), query) },
  { method: 'GET', path: '/api/clients/:id', run: ({ world, params }) => clientOf(world, params.id!) },
  {
    method: 'GET',
    path: '/api/decisions',
    run: ({ world, query }) =>
      paged(
        world.decisions.filter((row) =>
          (['principal', 'tenant', 'model', 'outcome', 'id'] as const).every(
            (key) => query[key] === undefined || row[key] === query[key],
          ),
        ),
        query,
      ),
  },
  { method: 'POST', path: '/api/decisions/:id/input', run: inputOf },
  { method: 'GET', path: '/api/monitors', run: monitorsOf },
];

function overviewOf(world: World): Overview {
  const now = world.now();
  const totals = (seed: string): Totals => {
    if (world.isEmpty) return { requests: 0, samples: 0, answered: 0, refused: 0, clients: 0, flagged: 0 };
    const rng = randomFrom(3, seed);
    const refused = 2200 + rng.integer(700);
    const requests = 104_000 + rng.integer(9000);
    return {
      requests,
      samples: requests * 2,
      answered: requests - refused,
      refused,
      clients: 148 + rng.integer(9),
      flagged: 900 + rng.integer(300),
    };
  };
  return {
    now,
    since: world.started,
    health: [
      { part: 'log', ok: true },
      { part: 'store', ok: true },
      { part: 'policies', ok: true },
      { part: 'runtime', ok: true },
      ...(world.isEmpty
        ? []
        : [{ part: 'alerts: siem', ok: false, because: 'the receiver does not answer; 17 messages wait' }]),
    ],
    models: modelsOf(world).map((status) => ({
      ...status,
      perSecond: status.model === 'traffic-signs' ? 23.4 : status.model === 'digits' ? 4.8 : 2.2,
      p99: status.model === 'credit' ? 18.2 : 14.1,
      alarmed: world.monitors.some(({ model, phase }) => model === status.model && phase === 'alarmed'),
    })),
    hour: totals('hour'),
    before: totals('before'),
    cases: [...world.cases.values()].filter(({ state }) => state !== 'closed'),
    orders: world.orders.filter(({ ended }) => ended === undefined),
    reviews: world.isEmpty ? 0 : 4,
    day: world.isEmpty
      ? []
      : Array.from({ length: 144 }, (_, i) => {
          const rng = randomFrom(5, i);
          const at = (Math.floor(now / (10 * MINUTE)) - 143 + i) * 10 * MINUTE;
          const passed = Math.min(1, (now - at) / (10 * MINUTE));
          const wave = 1 + 0.55 * Math.sin(((i - 40) / 144) * 2 * Math.PI);
          const attack = i > 124 && i < 134 ? 2100 : 0;
          return [
            at,
            Math.round(passed * (14_000 * wave + rng.integer(1200))),
            Math.round(passed * (180 * wave + rng.integer(60) + attack)),
          ] as const;
        }),
    log: { size: world.isEmpty ? 3 : 184_233, at: now - 700, root: DIGESTS.signs2.slice(7) },
  };
}

function trafficOf({ world, query }: FixtureCall): Traffic {
  const now = world.now();
  const to = Number(query.to ?? now);
  const from = Number(query.from ?? to - HOUR);
  const step = Math.max(1000, Math.ceil((to - from) / 240));
  const share = { 'traffic-signs': 0.75, digits: 0.15, credit: 0.1 }[query.model ?? ''] ?? 1;
  if (world.isEmpty) return { step, points: [], stages: [], guards: [] };
  return {
    step,
    points: Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => {
      const rng = randomFrom(11, Math.round(from / step) + i);
      const at = from + i * step;
      const answered = Math.round((step / 1000) * share * (27 + 9 * Math.sin(at / 1.3e6) + 2 * rng.normal()));
      const attack = i > 190 && i < 215 ? 7 : 0;
      return {
        at,
        answered,
        refused: {
          throttled: Math.round((step / 1000) * share * (0.3 + attack)),
          exhausted: Math.round((step / 1000) * share * 0.2),
          unacceptable: rng.integer(3),
        },
        samples: answered * 2,
        p50: 4 + rng.uniform(),
        p99: 12 + 4 * rng.uniform() + attack * 2,
      };
    }),
    stages: [
      ['admit', 0.11, 0.4],
      ['limit', 0.06, 0.2],
      ['guard', 0.82, 2.1],
      ['run', 2.4, 7.9],
      ['verify', 0.31, 4.2],
      ['shape', 0.04, 0.1],
      ['record', 0.21, 0.9],
      ['wait', 0.6, 1.4],
    ].map(([stage, mean, p99]) => ({ stage: stage as string, mean: mean as number, p99: p99 as number })),
    guards: [
      { guard: 'extraction', model: 'traffic-signs', pass: 81_201, flag: 640, degrade: 210, refuse: 88 },
      { guard: 'near-duplicates', model: 'traffic-signs', pass: 80_911, flag: 802, degrade: 0, refuse: 426 },
      { guard: 'squeeze', model: 'traffic-signs', pass: 82_010, flag: 129, degrade: 0, refuse: 0 },
      { guard: 'range', model: 'credit', pass: 8_104, flag: 0, degrade: 0, refuse: 16 },
    ],
  };
}

function clientRows(world: World, query: Readonly<Record<string, string>>): readonly ClientRow[] {
  const find = (query.find ?? '').toLowerCase();
  const by: Readonly<Record<string, (row: ClientRow) => number>> = {
    requests: ({ requests }) => requests,
    refused: ({ refused }) => refused,
    flagged: ({ flagged }) => flagged,
    budget: ({ budget }) => (budget === undefined ? 0 : budget.used / budget.limit),
  };
  const order = by[query.sort ?? 'requests'] ?? by.requests!;
  return world.clients
    .filter(({ principal, tenant }) => `${principal} ${tenant}`.toLowerCase().includes(find))
    .map((row) => ({ ...row, orders: ordersOf(world, row) }))
    .sort((a, b) => order(b) - order(a));
}

function ordersOf(world: World, { principal, tenant }: ClientRow): ClientRow['orders'] {
  return world.orders.filter(
    ({ ended, target }) =>
      ended === undefined && (target.principal === principal || target.tenant === tenant),
  );
}

function clientOf(world: World, id: string): ClientDetail | undefined {
  const row = world.clients.find(({ principal }) => principal === id);
  if (row === undefined) return undefined;
  const now = world.now();
  return {
    ...row,
    orders: ordersOf(world, row),
    days: Array.from({ length: 30 }, (_, i) => {
      const rng = randomFrom(13, id, i);
      const busy = id === 'mallory-labs' ? (i > 27 ? 4800 : i > 25 ? 600 : 40) : row.samples / 9;
      return [
        now - (29 - i) * DAY,
        i < 20 && id !== 'mallory-labs' ? 0 : Math.round(busy * (0.7 + 0.6 * rng.uniform())),
        Math.round(row.refused / 9),
      ] as const;
    }),
    decisions: world.decisions.filter(({ principal }) => principal === id).slice(0, 50),
    cases: [...world.cases.values()].filter(({ principals }) => principals.includes(id)),
  };
}

/** What was sent with a call: a sign, the same one a little changed from call to call; every ninth was not kept. */
function inputOf({ world, params }: FixtureCall): DecisionInput {
  const row = world.decisions.find(({ id }) => id === params.id);
  const about = {
    ...{ entry: row?.entry ?? 37, id: params.id!, model: row?.model ?? 'traffic-signs' },
    ...{ version: row?.version ?? '3', n: row?.n ?? 1 },
  };
  if (about.entry % 9 === 0) return { ...about, state: 'not-kept', samples: [] };
  const { x } = renderSplit({ seed: 3, split: 'test', n: 1, start: 0 });
  const rng = randomFrom(17, about.entry);
  const [channels, height, width] = SIGN_SHAPE;
  return {
    ...{ ...about, state: 'kept', dims: SIGN_SHAPE, range: [0, 1] },
    picture: { channels, height, width, layout: 'chw' },
    samples: [Array.from(x, (value) => Math.min(1, Math.max(0, value / 255 + 0.04 * rng.normal())))],
  };
}

function monitorsOf({ world, query }: FixtureCall): Monitors {
  const model = query.model ?? world.monitors[0]?.model ?? '';
  return {
    states: world.monitors.filter((state) => query.model === undefined || state.model === query.model),
    samples: world.isEmpty
      ? []
      : samplesAt(
          world.now(),
          model,
          world.clients.map(({ principal }) => principal),
        ),
    classNames: classNamesOf(model),
  };
}

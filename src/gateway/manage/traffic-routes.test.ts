import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/until.ts';
import type { Order } from '../../incident/order.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { ClientDetail, ClientRow, Overview, Page } from '../console/api.ts';
import { budgetRunningOut } from '../limits/burn-down.ts';
import { budgetsSchema, type OpenBudgets, openBudgets } from '../limits/index.ts';
import { openRollups, type Rollups } from '../observe/rollups/open-rollups.ts';
import { type OpenLiveLog, openLiveLog } from '../record/live/open-live-log.ts';
import { type OpenRecorder, openRecorder } from '../record/open-recorder.ts';
import { decision, recordConfig } from '../record/record.fixture.ts';
import { decisionRoutes } from './decision-routes.ts';
import { call } from './routes.fixture.ts';
import { trafficRoutes } from './traffic-routes.ts';
import { openVeil, type Veil } from './veil.ts';

const DAY = 86_400_000;
const NOW = 1_700_000_000_000;
let folder = '';
let store: Store;
let rollups: Rollups;
let recorder: OpenRecorder;
let live: OpenLiveLog;
let budgets: OpenBudgets;
let orders: Order[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-traffic-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'glacis.db') });
  recorder = await openRecorder(recordConfig(), { folder: join(folder, 'record') });
  live = await openLiveLog(recordConfig(), {
    folder: join(folder, 'record'),
    trust: recorder.trust,
    failed: () => {},
  });
  const limits = [{ per: 'principal', queries: 100, window: '1 day' }];
  budgets = await openBudgets(budgetsSchema.parse({ limits }), { store });
  rollups = openRollups({
    store,
    secret: new Uint8Array(32),
    now: () => NOW,
    failed: () => {},
    budgetShare: budgets.share,
  });
  orders = [];
});
afterEach(async () => {
  for (const part of [rollups, budgets, live, recorder, store]) await part.close();
  rmSync(folder, { recursive: true, force: true });
});

const routes = (veil?: Veil) => [
  ...trafficRoutes({
    ...{ rollups, budgets, live, now: () => NOW, since: NOW - 5 },
    containment: { active: () => orders },
    health: () => [{ part: 'log', ok: true }],
    models: () => [],
    alarmed: () => false,
    cases: async () => [],
    casesOf: async () => [],
    holderOf: (credential) => ({ k1: 'client-1', k2: 'client-2' })[credential],
    reviews: async () => 3,
    veil,
  }),
  ...decisionRoutes(live, recorder),
];

async function traffic(): Promise<void> {
  for (let i = 0; i < 9; i++) {
    const made = decision(i, { at: NOW - 60_000 + i, n: 10 });
    const { principal, tenant } = made;
    await budgets.take(
      { id: principal!, tenant: tenant!, credential: 'k', kind: 'key', roles: [] },
      made.model,
      10,
    );
    await recorder.record(made);
    rollups.decided(made, 3);
  }
  await rollups.flush();
  await until(async () => (await live.state()).indexed >= 9);
}

describe('the routes about traffic', () => {
  it('show an overview with figures, reviews, measures and the log', async () => {
    await traffic();
    const { json } = (await call(routes(), 'GET /api/overview')) as { json: Overview };
    expect(json).toMatchObject({
      since: NOW - 5,
      hour: { requests: 9, samples: 90, clients: 3 },
      before: { requests: 0 },
      reviews: 3,
      health: [{ part: 'log', ok: true }],
      log: { size: 9 },
    });
    expect(json.log.root).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    expect(json.day).toHaveLength(144);
  });

  it('name clients of a sealed log to those alone who may open it; others see pseudonyms', async () => {
    await traffic();
    const veil = openVeil(new Uint8Array(32));
    const may = (action: string) => action !== 'log.payload';
    const about = {
      id: 'O-1',
      measure: 'throttle',
      because: 'client-2 asks much',
      by: 'bob',
      at: 1,
    } as const;
    orders = [{ ...about, target: { principal: 'client-2', tenant: 'acme', credential: 'k2' } }];
    const page = async (query: Record<string, string>, rights = may) =>
      (await call(routes(veil), 'GET /api/clients', { query, may: rights })) as { json: Page<ClientRow> };
    const first = (await page({ most: '2' })).json;
    const second = (await page({ most: '2', before: first.next! })).json;
    const rows = [...first.rows, ...second.rows];
    expect(rows.map(({ principal }) => veil.seen(principal))).toEqual(['client-2', 'client-1', 'client-0']);
    const told = JSON.stringify([first, second]);
    expect(rows[0]!.orders).toHaveLength(1);
    for (const name of ['client-', 'acme', '"k2"', Buffer.from('client-').toString('base64url').slice(0, 8)])
      expect(told).not.toContain(name);
    await expect(page({ find: 'client' })).rejects.toMatchObject({ code: 'option/invalid' });
    expect((await page({ find: rows[1]!.principal })).json.rows).toHaveLength(1);
    const open = (await page({}, () => true)).json;
    expect(open.rows[0]).toMatchObject({ principal: 'client-2', tenant: 'acme' });
    const one = async (id: string) =>
      (await call(routes(veil), 'GET /api/clients/:id', { params: { id }, may })) as { json: ClientDetail };
    const { json: detail } = await one(rows[0]!.principal);
    expect(detail).toMatchObject({ principal: rows[0]!.principal, requests: 3, decisions: [], cases: [] });
    expect(JSON.stringify(detail)).not.toContain('client-2');
    expect(await one('client-2')).toMatchObject({ status: 404 });
  });

  it('page clients with the budget that runs out first and the measures about them', async () => {
    await traffic();
    const about = {
      id: 'O-1',
      measure: 'throttle',
      target: { tenant: 'acme' },
      because: '',
      by: 'bob',
      at: 1,
    } as const;
    orders = [
      about,
      { ...about, id: 'O-2', target: { model: 'mnist-cnn' } },
      { ...about, id: 'O-3', target: { principal: 'x' } },
      { ...about, id: 'O-4', target: { credential: 'k2' } },
      { ...about, id: 'O-5', target: { credential: 'nobodys' } },
      { ...about, id: 'O-6', target: { credential: 'k1', tenant: 'acme' } },
    ];
    const { json } = (await call(routes(), 'GET /api/clients', { query: { most: '2' } })) as {
      json: Page<ClientRow>;
    };
    expect(json.rows).toMatchObject([
      { principal: 'client-2', requests: 3, samples: 30, budget: { used: 30, limit: 100, step: 'full' } },
      { principal: 'client-1' },
    ]);
    expect(json.rows.map(({ orders }) => orders.map(({ id }) => id))).toEqual([
      ['O-1', 'O-4'],
      ['O-1', 'O-6'],
    ]);
    const rest = (await call(routes(), 'GET /api/clients', { query: { before: json.next! } })) as {
      json: Page<ClientRow>;
    };
    expect(rest.json.rows.map(({ principal }) => principal)).toEqual(['client-0']);
    const fullest = (await call(routes(), 'GET /api/clients', {
      query: { sort: 'budget', find: 'client-1' },
    })) as { json: Page<ClientRow> };
    expect(fullest.json.rows).toHaveLength(1);
  });

  it('show one client with its days and its last decisions', async () => {
    await traffic();
    const { json } = (await call(routes(), 'GET /api/clients/:id', { params: { id: 'client-1' } })) as {
      json: ClientDetail;
    };
    expect(json.days).toEqual([[NOW - (NOW % DAY), 30, 0]]);
    expect(json.decisions.map(({ entry }) => entry)).toEqual([7, 4, 1]);
    expect(await call(routes(), 'GET /api/clients/:id', { params: { id: 'nobody' } })).toMatchObject({
      status: 404,
    });
  });

  it('page decisions and show entries, receipts and keys', async () => {
    await traffic();
    const page = (await call(routes(), 'GET /api/decisions', {
      query: { principal: 'client-2', most: '2' },
    })) as { json: { rows: { entry: number }[]; next: string } };
    expect(page.json.rows.map(({ entry }) => entry)).toEqual([8, 5]);
    const more = await call(routes(), 'GET /api/decisions', {
      query: { principal: 'client-2', before: page.json.next },
    });
    expect(more.json).toMatchObject({ rows: [{ entry: 2 }] });
    expect(
      (await call(routes(), 'GET /api/decisions/:which', { params: { which: '8' } })).json,
    ).toMatchObject({ entry: 8 });
    expect(await call(routes(), 'GET /api/decisions/:which', { params: { which: '999' } })).toMatchObject({
      status: 404,
    });
    expect((await call(routes(), 'GET /api/receipts/:entry', { params: { entry: '8' } })).bytes).toContain(
      'c2sp.org/tlog-proof',
    );
    expect((await call(routes(), 'GET /api/trust')).json).toMatchObject({ schema: 'glacis.log.trust/1' });
    for (const entry of ['999', '-1', 'x'])
      await expect(call(routes(), 'GET /api/receipts/:entry', { params: { entry } })).rejects.toMatchObject({
        code: 'option/invalid',
      });
    await expect(call(routes(), 'GET /api/decisions', { query: { from: 'x' } })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });

  it('give traffic of the last hour unless asked otherwise', async () => {
    await traffic();
    const { json } = (await call(routes(), 'GET /api/traffic')) as {
      json: { step: number; points: { answered: number }[] };
    };
    expect(json.points.reduce((sum, { answered }) => sum + answered, 0)).toBe(9);
    expect(json.step).toBe(60_000);
  });
});

describe('a budget that runs out', () => {
  const use = { scope: 'principal', used: 400, limit: 1000, window: 10 * DAY, step: 'full' } as const;
  it('is empty when what is left is used at the speed of the last day', () => {
    expect(budgetRunningOut([use], { perDay: 300, now: 0 })).toMatchObject({ used: 400, emptyAt: 2 * DAY });
  });
  it('is never empty where its window gives back as much as is used', () => {
    expect(budgetRunningOut([use], { perDay: 100, now: 0 })).not.toHaveProperty('emptyAt');
    expect(budgetRunningOut([use], { perDay: 0, now: 0 })).not.toHaveProperty('emptyAt');
  });
  it('is the one of which the largest share is used, and empty now where nothing is left', () => {
    const tenant = { ...use, scope: 'tenant', used: 1000 } as const;
    expect(budgetRunningOut([use, tenant], { perDay: 300, now: 7 })).toMatchObject({
      used: 1000,
      emptyAt: 7,
    });
    expect(budgetRunningOut([use, { ...tenant, used: 900 }], { perDay: 300, now: 7 })).not.toHaveProperty(
      'emptyAt',
    );
    expect(budgetRunningOut([], { perDay: 1, now: 0 })).toBeUndefined();
  });
});

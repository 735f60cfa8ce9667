import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Desk, openDesk, START } from '../../incident/incident.fixture.ts';
import type { Order } from '../../incident/order.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { DecisionRow, OrderPreview } from '../console/api.ts';
import type { DecisionQuery } from '../record/live/live-question.ts';
import type { AskedAct } from './ask-in-case.ts';
import { orderRoutes } from './order-routes.ts';
import type { ManagementRoute } from './route.ts';
import { call, person } from './routes.fixture.ts';
import { openVeil, type Veil } from './veil.ts';

const DAY = 86_400_000;

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-order-routes-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'store.db') });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Routes before a desk, and before a log with the calls of `mallory` and `mo`, both of the tenant `trial`. */
function opened(given: { fourEyes?: object; veil?: Veil; broken?: true } = {}): {
  readonly desk: Desk;
  readonly asked: { readonly query: DecisionQuery; readonly reveal: boolean }[];
  readonly routes: readonly ManagementRoute[];
} {
  const desk = openDesk(store, { fourEyes: given.fourEyes ?? {} });
  const asked: { query: DecisionQuery; reveal: boolean }[] = [];
  const live = {
    async page(query: DecisionQuery, reveal: boolean) {
      asked.push({ query, reveal });
      if (given.broken) throw new Error('its thread has ended');
      const rows = ['mallory', 'mo', 'mallory'].map((principal, i) => ({ principal, at: START - i }));
      return { rows: rows as unknown as readonly DecisionRow[], next: '7' };
    },
  };
  const routes = orderRoutes({ incidents: desk.incidents, live, now: () => START, veil: given.veil });
  return { desk, asked, routes };
}
const order = (routes: readonly ManagementRoute[], wish: object, by = 'ann') =>
  call(routes, 'POST /api/orders', { body: { wish }, by: person(by, 'operator') });
const preview = async (routes: readonly ManagementRoute[], wish: object, may?: (action: string) => boolean) =>
  (await call(routes, 'POST /api/orders/preview', { body: { wish }, ...(may && { may }) }))
    .json as OrderPreview;

const THROTTLE = { measure: 'throttle', target: { tenant: 'trial' }, perMinute: 6, because: 'a copy' };
const PAUSE = { measure: 'pause', target: { model: 'signs' }, because: 'wrong since noon' };

describe('measures by hand', () => {
  it('are in force at once, are listed, and are taken back', async () => {
    const { desk, routes } = opened();
    expect(await order(routes, THROTTLE)).toMatchObject({ status: 201, json: { ...THROTTLE, by: 'ann' } });
    const [given] = desk.containment.active();
    expect((await call(routes, 'GET /api/orders', { query: { active: 'true' } })).json).toEqual({
      rows: [given],
    });
    expect((await call(routes, 'GET /api/orders', { query: { active: 'true', case: 'C-1' } })).json).toEqual({
      rows: [],
    });
    await call(routes, 'POST /api/orders/:id/lift', { params: { id: given!.id } });
    expect(desk.containment.active()).toEqual([]);
    expect((await call(routes, 'GET /api/orders', { query: { most: '5' } })).json).toMatchObject({
      rows: [{ id: given!.id, ended: START, endedBy: 'ann' }],
    });
    await expect(order(routes, { ...PAUSE, measure: 'open' })).rejects.toThrow();
  });

  it('that take two persons are asked for in a case, one for all who ask, and are in force when the second agrees', async () => {
    const { desk, routes } = opened({ fourEyes: { measures: ['pause', 'freeze', 'quarantine'] } });
    const asked = (await order(routes, PAUSE)) as { json: AskedAct; status: number };
    expect(asked.status).toBe(202);
    expect(desk.containment.orders).toEqual([]);
    const { id } = asked.json.case;
    expect(((await order(routes, PAUSE, 'bob')).json as AskedAct).case.id).toBe(id);
    await expect(desk.incidents.approve(id, asked.json.asked, 'ann')).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await desk.incidents.approve(id, asked.json.asked, 'bob');
    expect(desk.containment.active()).toMatchObject([{ measure: 'pause', by: 'ann', case: id }]);
    // What is about everybody has a case, too, and whom it is about is named in it.
    const freeze = (await order(routes, { measure: 'freeze', because: 'x' })).json as AskedAct;
    expect(freeze.case).toMatchObject({ title: 'Asked for: freeze for everybody', kind: 'fault' });
    const shut = { measure: 'quarantine', target: { principal: 'mallory' }, because: 'x' };
    expect(((await order(routes, shut)).json as AskedAct).case).toMatchObject({
      ...{ principals: ['mallory'], kind: 'attack' },
    });
    // A case that is named is the one where it waits.
    const named = (await order(routes, { ...shut, case: id })).json as AskedAct;
    expect(named.case.id).toBe(id);
  });

  it('end with a second person where the policy wants one, in their case or in one that is opened', async () => {
    const { desk, routes } = opened({ fourEyes: { lift: ['throttle'] } });
    const given = (await order(routes, THROTTLE)).json as Order;
    const lift = await call(routes, 'POST /api/orders/:id/lift', { params: { id: given.id } });
    expect(lift).toMatchObject({ status: 202 });
    const { asked, case: of } = lift.json as AskedAct;
    expect(of.title).toBe('Asked for: the end of throttle for tenant trial');
    expect(desk.containment.active()).toHaveLength(1);
    await desk.incidents.approve(of.id, asked, 'bob');
    expect(desk.containment.active()).toEqual([]);
  });
});

describe('the preview of a measure', () => {
  it('says whose calls it would have met, and does nothing', async () => {
    const { desk, asked, routes } = opened({ fourEyes: { measures: ['throttle'] } });
    expect(await preview(routes, THROTTLE)).toEqual({
      ...{ against: undefined, needsApproval: true, inForce: undefined },
      calls: { n: 3, more: true, principals: ['mallory', 'mo'], last: START },
    });
    expect(asked).toMatchObject([
      { query: { tenant: 'trial', principal: undefined, model: undefined, from: START - DAY }, reveal: true },
    ]);
    expect([desk.containment.orders, desk.ledger]).toEqual([[], []]);
  });

  it('says what is in force already, and why something cannot be done', async () => {
    const { desk, routes } = opened();
    const given = (await order(routes, THROTTLE)).json as Order;
    expect((await preview(routes, { ...THROTTLE, because: 'other words' })).inForce).toEqual(given);
    expect((await preview(routes, { ...THROTTLE, perMinute: 7 })).inForce).toBeUndefined();
    desk.containment.impossible = 'pause';
    expect((await preview(routes, PAUSE)).against).toBe('pause: cannot be done here');
    expect((await preview(routes, { ...THROTTLE, until: START })).against).toContain(
      'an end that lies ahead',
    );
    expect((await preview(routes, { ...THROTTLE, target: { model: 'signs' } })).against).toContain(
      'nothing locks out everybody',
    );
  });

  it('guesses nothing about whom it cannot look up', async () => {
    const { asked, routes } = opened();
    const calls = async (target: object, measure = 'degrade', may?: (action: string) => boolean) =>
      (await preview(routes, { measure, target, because: 'x' }, may)).calls;
    expect(await calls({ credential: 'k1' })).toBeUndefined();
    expect(await calls({ address: '192.0.2.7' })).toBeUndefined();
    expect(await calls({}, 'freeze')).toBeUndefined();
    expect(await calls({ model: 'signs' }, 'pause', (action) => action !== 'log.read')).toBeUndefined();
    expect(asked).toEqual([]);
    expect((await preview(opened({ broken: true }).routes, PAUSE)).calls).toBeUndefined();
  });
});

describe('measures where the log seals who asked', () => {
  it('are asked for by pseudonyms, and the preview searches by name for those alone who may open it', async () => {
    const veil = openVeil(new Uint8Array(32).fill(1));
    const { desk, asked, routes } = opened({ veil });
    const wish = { measure: 'quarantine', target: { principal: veil.hide('mallory') }, because: 'x' };
    const blind = (action: string) => action !== 'log.payload';
    expect((await preview(routes, wish, blind)).calls).toBeUndefined();
    expect(asked).toEqual([]);
    expect((await preview(routes, wish)).calls).toMatchObject({ n: 3 });
    expect(asked).toMatchObject([{ query: { principal: 'mallory' }, reveal: true }]);
    await preview(routes, PAUSE, blind);
    expect(asked.at(-1)).toMatchObject({ query: { model: 'signs' }, reveal: false });
    await order(routes, wish);
    expect(desk.containment.active()).toMatchObject([{ target: { principal: 'mallory' } }]);
  });
});

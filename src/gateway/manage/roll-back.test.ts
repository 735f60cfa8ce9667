import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from '../../incident/incident.fixture.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { ModelStatus } from '../backend/model-status.ts';
import type { Backends } from '../backend/open-backends.ts';
import type { AskedRollback } from '../console/api.ts';
import { modelRoutes } from './model-routes.ts';
import type { ManagementRoute } from './route.ts';
import { call, person } from './routes.fixture.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-roll-back-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'store.db') });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const STATUS = {
  ...{ model: 'signs', use: '2', previous: { version: '1', digest: 'sha256:1' } },
  versions: [{ version: '2', digest: 'sha256:2' }],
} as unknown as ModelStatus;

function opened(fourEyes: object): { desk: Desk; done: string[]; routes: readonly ManagementRoute[] } {
  const desk = openDesk(store, { fourEyes });
  const done: string[] = [];
  const backends = {
    status: () => [STATUS],
    memory: () => ({ used: 0, limit: 1 }),
    rollback: async (model: string, by: string) => void done.push(`${model} by ${by}`),
  } as unknown as Backends;
  const routes = modelRoutes(backends, { incidents: desk.incidents, classNames: async () => undefined });
  return { desk, done, routes };
}
const ask = async (routes: readonly ManagementRoute[], by: string, name = 'signs') =>
  (await call(routes, 'POST /api/models/:name/rollback', {
    ...{ params: { name }, body: { because: 'wrong since noon' }, by: person(by, 'operator') },
  })) as { json: AskedRollback; status?: number };

describe('going back to the version before', () => {
  it('is done at once where the policy wants one person', async () => {
    const { done, routes } = opened({ measures: ['pause'], lift: ['rollback'] });
    expect(await ask(routes, 'ann')).toEqual({ json: STATUS });
    expect(done).toEqual(['signs by ann']);
  });

  it('waits for a second person in a case where the policy wants two, and no second call does it', async () => {
    const { desk, done, routes } = opened({ measures: ['rollback'] });
    const { json, status } = await ask(routes, 'ann');
    expect(status).toBe(202);
    expect([done, desk.containment.orders]).toEqual([[], []]);
    const { id } = json.case;
    expect((await desk.incidents.find(id))!.events).toMatchObject([
      { by: 'ann', what: { kind: 'alarm', alarm: { why: 'wrong since noon' } } },
      { by: 'ann', what: { kind: 'asked', wish: { measure: 'rollback', target: { model: 'signs' } } } },
    ]);
    await expect(desk.incidents.approve(id, json.asked, 'ann')).rejects.toMatchObject({
      code: 'option/invalid',
    });
    // Whoever asks again, also somebody else, asks in the same case.
    expect((await ask(routes, 'ann')).json.case.id).toBe(id);
    expect((await ask(routes, 'bob')).json.case.id).toBe(id);
    expect(done).toEqual([]);
    await desk.incidents.approve(id, json.asked, 'bob');
    expect(desk.containment.orders).toMatchObject([
      { measure: 'rollback', by: 'ann', case: id, target: { model: 'signs' } },
    ]);
  });

  it('waits as well where it would end a rollback that takes two to end', async () => {
    const { desk, done, routes } = opened({ lift: ['rollback'] });
    await desk.containment.order({ measure: 'rollback', target: { model: 'signs' }, because: 'x' }, 'ann');
    const { json, status } = await ask(routes, 'ann');
    expect([status, done, desk.containment.active().length]).toEqual([202, [], 1]);
    await desk.incidents.approve(json.case.id, json.asked, 'bob');
    expect(desk.containment.active()).toEqual([]);
  });

  it('asks nobody for what cannot be done', async () => {
    const { desk, routes } = opened({ measures: ['rollback'] });
    await expect(ask(routes, 'ann', 'other')).rejects.toMatchObject({ code: 'option/invalid' });
    expect((await desk.incidents.list({})).rows).toEqual([]);
  });
});

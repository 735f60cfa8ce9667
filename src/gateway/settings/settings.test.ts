import { describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../store/index.ts';
import { type ServeConfig, serveSchema } from '../config/serve-schema.ts';
import { storeFixture } from '../contain/containment.fixture.ts';
import type { Event } from '../decision.ts';
import { call, person } from '../manage/routes.fixture.ts';
import { settingsRoutes } from '../manage/settings-routes.ts';
import type { Change } from './change.ts';
import { openSettings, type Settings } from './open-settings.ts';

const FILE = serveSchema.parse({
  models: { m: { file: 'm.onnx' } },
  budgets: {
    limits: [
      { per: 'principal', who: ['partner-*'], queries: 500 },
      { per: 'principal', models: ['a', 'b'], together: true, queries: 100, window: '2 weeks' },
      { per: 'principal', queries: 50 },
    ],
  },
});

interface Gateway {
  readonly settings: Settings;
  readonly events: Event[];
  readonly applied: ServeConfig[];
}

async function opened(
  store: Store,
  refuses?: () => boolean,
  file: () => ServeConfig = () => FILE,
): Promise<Gateway> {
  const events: Event[] = [];
  const applied: ServeConfig[] = [];
  const settings = await openSettings({
    store,
    record: async (event) => events.push(event),
    now: () => 1_700_000_000_000,
    failed: () => {},
  });
  onTestFinished(() => settings.close());
  settings.start(async (config) => {
    if (refuses?.()) throw new Error('does not suit');
    applied.push(config);
  }, file);
  return { settings, events, applied };
}

const budget = (rest: object = {}): Change =>
  ({ kind: 'budget', per: 'principal', who: 'ann', queries: 900, because: 'a study', ...rest }) as Change;
const guard = (rest: object = {}): Change =>
  ({
    kind: 'guard',
    guard: 'entropy',
    options: { action: 'refuse' },
    because: 'incident',
    ...rest,
  }) as Change;

describe('settings that are changed while the server runs', () => {
  it('are in the log, then in force, and undone to what the file says', async () => {
    const { settings, events, applied } = await opened(await storeFixture());
    const made = await settings.make(budget(), 'bob');
    // One for each entry of the file that held for her, in front of them.
    expect(applied.at(-1)!.budgets.limits).toEqual([
      { ...FILE.budgets.limits[1]!, who: ['ann'], queries: 900 },
      { ...FILE.budgets.limits[2]!, who: ['ann'], queries: 900 },
      ...FILE.budgets.limits,
    ]);
    expect(settings.list()).toEqual([made]);
    await settings.undo(made.id, 'eve');
    expect(applied.at(-1)).toEqual(FILE);
    expect(settings.list()).toEqual([]);
    expect(events).toMatchObject([
      { event: 'settings-changed', by: 'bob', about: { id: made.id, because: 'a study' } },
      { event: 'settings-undone', by: 'eve' },
    ]);
    await expect(settings.undo(made.id, 'eve')).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('outlive a restart, reach other gateways, and lie over a file that has changed', async () => {
    const store = await storeFixture();
    const [a, b] = [await opened(store), await opened(store)];
    await a.settings.make(guard(), 'bob');
    await b.settings.refresh();
    expect(b.applied.at(-1)!.guards).toMatchObject({ entropy: { action: 'refuse' } });
    expect(b.events).toMatchObject([{ event: 'settings-learned' }]);
    await b.settings.make(guard({ options: 'off' }), 'eve');
    expect(b.settings.list()).toHaveLength(1);
    const restarted = await opened(store);
    expect(restarted.settings.over(FILE).guards).toMatchObject({ entropy: 'off' });
    const other = { ...FILE, mostSamples: 7 };
    expect(restarted.settings.over(other)).toMatchObject({ mostSamples: 7, guards: { entropy: 'off' } });
  });

  it('of two operators at once on two gateways are both kept', async () => {
    const store = await storeFixture();
    const [a, b] = [await opened(store), await opened(store)];
    await Promise.all([a.settings.make(budget(), 'bob'), b.settings.make(guard(), 'eve')]);
    await a.settings.refresh();
    await b.settings.refresh();
    expect(a.settings.list()).toEqual(b.settings.list());
    expect(a.settings.list()).toHaveLength(2);
  });

  it('stay as they were where something refuses, and the log says so', async () => {
    let refuses = false;
    const { settings, events, applied } = await opened(await storeFixture(), () => refuses);
    const before = await settings.make(budget(), 'bob');
    refuses = true;
    await expect(settings.make(guard(), 'bob')).rejects.toThrow('does not suit');
    expect(settings.list()).toEqual([before]);
    expect(applied.at(-1)!.guards).toEqual(FILE.guards);
    expect(events.map(({ event }) => event)).toEqual([
      'settings-changed',
      'settings-changed',
      'settings-failed',
    ]);
  });

  it('stay as they were where the store is gone', async () => {
    const store = await storeFixture();
    const { settings, applied } = await opened(store);
    await store.close();
    await expect(settings.make(guard(), 'bob')).rejects.toThrow();
    expect(settings.list()).toEqual([]);
    expect(applied.at(-1)).toEqual(FILE);
  });

  it('of a budget count as the budget before, so that nothing is given twice', async () => {
    const { settings, applied } = await opened(await storeFixture());
    await settings.make(budget({ models: ['a', 'b'] }), 'bob');
    expect(applied.at(-1)!.budgets.limits[0]).toMatchObject({
      together: true,
      models: ['a', 'b'],
      window: 14 * 86_400_000,
    });
    await expect(settings.make(budget({ models: ['a'] }), 'bob')).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await settings.make(budget({ who: 'partner-1', queries: 5 }), 'bob');
    expect(applied.at(-1)!.budgets.limits[0]).toMatchObject({ who: ['partner-1'], queries: 5 });
  });

  it('of a guard are for one model, or for all, also those with guards of their own', async () => {
    const file = serveSchema.parse({
      models: { m: { file: 'm.onnx' }, k: { file: 'k.onnx' } },
      only: { k: { guards: { margin: 'off' } } },
    });
    const { settings } = await opened(await storeFixture(), undefined, () => file);
    const one = await settings.make(guard({ model: 'm' }), 'bob');
    expect(settings.over(file).only).toMatchObject({
      m: { guards: { entropy: { action: 'refuse' } } },
      k: { guards: { margin: 'off' } },
    });
    expect(settings.over(file).guards).toEqual(file.guards);
    await settings.undo(one.id, 'bob');
    await settings.make(guard(), 'bob');
    expect(settings.over(file).only.k!.guards).toMatchObject({
      margin: 'off',
      entropy: { action: 'refuse' },
    });
  });

  it('that do not fit the file any more are left out, and say why', async () => {
    const store = await storeFixture();
    const { settings } = await opened(store);
    await settings.make(guard({ model: 'm' }), 'bob');
    const other = serveSchema.parse({ models: {} });
    expect(settings.over(other)).toEqual(other);
    expect(settings.list()).toMatchObject([{ problem: expect.stringContaining('served model') }]);
  });

  it.each<[string, object]>([
    ['a pattern in place of a name', budget({ who: 'a*' })],
    ['a budget of nobody', budget({ who: undefined })],
    ['no budget at all', budget({ queries: 0 })],
    ['a guard that there is not', guard({ guard: 'constructor' })],
    ['options that a guard does not have', guard({ options: { open: true } })],
    ['a model that is not served', guard({ model: '__proto__' })],
    ['a guard for which the model would be opened anew', guard({ guard: 'nearest-features', options: {} })],
    ['no reason', guard({ because: '' })],
    ['another section', { kind: 'listen', because: 'x' }],
    ['rates of nothing', { kind: 'rates', limits: [{ per: 'all', every: 'second' }], because: 'x' }],
  ])('refuse %s, and nothing is written', async (_, wrong) => {
    const { settings, events } = await opened(await storeFixture());
    await expect(settings.make(wrong as Change, 'bob')).rejects.toMatchObject({ code: 'option/invalid' });
    expect(events).toEqual([]);
  });

  it('take the right that belongs to what is changed', async () => {
    const { settings } = await opened(await storeFixture());
    const routes = settingsRoutes(settings);
    const made = await settings.make(budget(), 'bob');
    const asked: string[] = [];
    const run = (path: string, body: unknown, may: (action: string) => boolean, params = {}) =>
      routes
        .find((route) => `${route.method} ${route.path}` === path)!
        .run({
          ...{ params, query: {}, body, by: person('ann'), signal: new AbortController().signal },
          may: (action: string) => (asked.push(action) > 0 ? may(action) : false),
          knock: { method: 'POST', path: '/', headers: {}, address: '', isSecure: false },
        });
    await expect(run('POST /api/settings', guard(), () => false)).rejects.toMatchObject({
      refusal: 'unknown',
    });
    await expect(
      run('POST /api/settings', budget(), (action) => action !== 'budgets.change'),
    ).rejects.toThrow();
    await expect(
      run('POST /api/settings/:id/undo', undefined, (action) => action !== 'budgets.change', { id: made.id }),
    ).rejects.toThrow();
    expect(asked).toEqual(['guards.change', 'budgets.change', 'budgets.change']);
    expect(settings.list()).toEqual([made]);
    expect((await call(routes, 'POST /api/settings', { body: guard() })).status).toBe(201);
    expect((await call(routes, 'GET /api/settings')).json).toMatchObject({ rows: [{ by: 'ann' }, made] });
  });
});

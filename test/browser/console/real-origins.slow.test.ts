import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Case } from '../../../src/incident/case.ts';
import { clients, figures, find, signedUpTo } from './impact-form.ts';
import { onRealGateway, sign } from './on-real-gateway.ts';
import { hasChromium } from './open-browser.ts';
import type { Person } from './sign-in.ts';
import { digestOf, run, trainModels } from './trained-models.ts';

/** Calls: of whom, to which model, how many. `priced` rests on the feed price, `sensed` on price and sensor, the others on none. */
const CALLS = [
  ['fleet-a', 'signs', 3],
  ['fleet-a', 'priced', 4],
  ['fleet-b', 'priced', 2],
  ['fleet-b', 'sensed', 5],
  ['guest', 'signs', 6],
  ['guest', 'recorded', 2],
  ['fleet-a', 'recorded', 1],
  ['guest', 'attested', 3],
  ['fleet-b', 'registered', 4],
] as const;
type Who = (typeof CALLS)[number][0];
type Model = (typeof CALLS)[number][1];
const TENANTS: Readonly<Record<Who, string>> = { 'fleet-a': 'fleet', 'fleet-b': 'fleet', guest: 'trial' };
/** Calls of `fleet-a` to `priced` with a reading that came before: refused, and resting on the feed all the same. */
const REPEATED = 2;

/** The fields of the form that say what decisions rest on. */
const FIELDS = {
  tenant: /^Tenant/,
  feed: /^Feed/,
  file: /^File that answered/,
  data: /^Trained on/,
} as const;
type Asked = Partial<Readonly<Record<keyof typeof FIELDS, string>>>;

/** How many calls somebody made to the models that a test names, refused ones among them. */
const callsTo = (models: readonly Model[], who?: Who): number =>
  CALLS.filter(([by, model]) => models.includes(model) && (who === undefined || by === who)).reduce(
    (sum, [, , n]) => sum + n,
    0,
  ) + (models.includes('priced') && (who === undefined || who === 'fleet-a') ? REPEATED : 0);
const MODELS = [...new Set(CALLS.map(([, model]) => model))];
const EVERYBODY = Object.keys(TENANTS) as Who[];

describe.skipIf(!hasChromium)('what was affected, by tenant, feed and data (needs /usr/bin/chromium)', () => {
  const on = onRealGateway(async (folder) => {
    vi.stubEnv('GLACIS_REGISTRY_HOME', join(folder, 'machine'));
    await trainModels(folder);
    const check = { asGiven: true };
    const watching = (...names: string[]) => ({
      guards: { feeds: { feeds: names.map((name) => ({ name, sequence: { parameter: name } })) } },
    });
    const file = (name: string) => ({ file: `${name}.onnx`, check });
    const registry = { location: 'models', trust: 'models.trust.json', model: 'registered@1' };
    return () => ({
      ...{ listen: { port: 0 }, management: { port: 0 } },
      log: { publishEvery: '1 second' },
      incidents: { respond: { mode: 'off' } },
      models: {
        ...{ signs: file('signs'), priced: file('signs'), sensed: file('signs') },
        ...{ recorded: file('recorded'), attested: file('attested'), registered: { registry, check } },
      },
      only: { priced: watching('price'), sensed: watching('price', 'sensor') },
    });
  });
  let ann: Person;

  beforeAll(async () => {
    let reading = 0;
    const ask = (key: string, model: Model, at: number) =>
      on.ask(key, sign(at), { model, parameters: { price: at, sensor: at } });
    const keys = new Map<Who, string>();
    for (const who of EVERYBODY) keys.set(who, (await on.keyed(who, { tenant: TENANTS[who] })).text);
    for (const [who, model, n] of CALLS)
      for (let i = 0; i < n; i++)
        expect(await ask(keys.get(who)!, model, ++reading), `${who} ${model}`).toMatchObject({ status: 200 });
    for (let i = 0; i < REPEATED; i++)
      expect(await ask(keys.get('fleet-a')!, 'priced', 1)).toMatchObject({ status: 400 });
    await signedUpTo(on, 'fleet-a', callsTo(MODELS, 'fleet-a'));
    ann = await on.signIn('ann');
    const { text } = await on.keyed('program', { roles: ['admin'] });
    const opened = await on.manage<Case>('/api/cases', text, {
      ...{ title: 'What does it rest on?', kind: 'attack', principals: ['fleet-a'] },
    });
    await ann.open(`/cases/${opened.id}`);
    await ann.page.getByRole('tab', { name: 'What was affected' }).click();
    await ann.page.getByText('By version, tenant, feed, file or data').click();
  });
  afterAll(() => vi.unstubAllEnvs());

  /** Searches for everybody's decisions that rest on this; gives what the page says. */
  const asked = async (page: Page, what: Asked, client = '') => {
    await page.getByLabel(/^Client /).fill(client);
    await page.getByRole('combobox', { name: 'Model', exact: true }).selectOption('');
    for (const [field, label] of Object.entries(FIELDS))
      await page.getByLabel(label).fill(what[field as keyof Asked] ?? '');
    await find(page);
    const { affected, 'decisions looked at': looked } = await figures(page);
    expect(ann.complaints).toEqual([]);
    return { affected: Number(affected), looked: Number(looked), clients: await clients(page) };
  };
  /** What the page must say of calls to these models, by these clients. */
  const said = (models: readonly Model[], who: readonly Who[] = EVERYBODY) => {
    const each = who.map((client) => [client, callsTo(models, client)] as const).filter(([, n]) => n > 0);
    each.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return {
      affected: each.reduce((sum, [, n]) => sum + n, 0),
      clients: each.map(([client, n]) => `${client}${n}`),
    };
  };

  it('counts what a tenant was told, whichever of its clients asked', async () => {
    const { page } = ann;
    expect(await asked(page, { tenant: 'fleet' })).toMatchObject({
      looked: callsTo(MODELS),
      ...said(MODELS, ['fleet-a', 'fleet-b']),
    });
    expect(await asked(page, { tenant: 'trial' })).toMatchObject(said(MODELS, ['guest']));
    expect(await asked(page, { tenant: 'fleet' }, 'fleet-b')).toMatchObject(said(MODELS, ['fleet-b']));
    expect(await asked(page, { tenant: 'trial' }, 'fleet-b')).toMatchObject({ affected: 0, clients: [] });
  });

  it('counts what rests on a poisoned feed, refusals among them', async () => {
    const { page } = ann;
    expect(await asked(page, { feed: 'price' })).toMatchObject(said(['priced', 'sensed']));
    expect(await asked(page, { feed: 'sensor' })).toMatchObject(said(['sensed']));
    expect(await asked(page, { feed: 'price' }, 'fleet-a')).toMatchObject(said(['priced'], ['fleet-a']));
    expect(await asked(page, { feed: 'weather' })).toMatchObject({ affected: 0, clients: [] });
  });

  it('counts what versions told that were trained on some data, wherever that is written', async () => {
    const { page } = ann;
    const [first, second] = await Promise.all(
      ['first.npz', 'second.npz'].map((name) => digestOf(join(on.folder, name))),
    );
    expect(await asked(page, { data: first! })).toMatchObject(said(['recorded', 'registered']));
    expect(await asked(page, { data: second! })).toMatchObject(said(['attested']));
    expect(await asked(page, { data: first!, tenant: 'trial' })).toMatchObject(said(['recorded'], ['guest']));
    expect(await asked(page, { data: `sha256:${'0'.repeat(64)}` })).toMatchObject({ affected: 0 });
  });

  it('counts what a file told, under whatever names it is served', async () => {
    const { page } = ann;
    const digest = async (name: string) =>
      /sha256:[0-9a-f]{64}/.exec(await run(on.folder, 'digest', `${name}.onnx`))![0];
    const signs = await digest('signs');
    expect(await asked(page, { file: signs })).toMatchObject(said(['signs', 'priced', 'sensed']));
    expect(await asked(page, { file: await digest('registered') })).toMatchObject(said(['registered']));
    expect(await asked(page, { file: signs, feed: 'sensor' })).toMatchObject(said(['sensed']));
  });
});

import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import type { Answer } from './ask-model.ts';
import { begin, dialog, field, inForce, lift, preview, take } from './measure-form.ts';
import { doubtful, onRealGateway } from './on-real-gateway.ts';
import { hasChromium } from './open-browser.ts';
import type { Person } from './sign-in.ts';

const [HERE, THERE] = ['127.0.0.1', '127.0.0.2'] as const;
/** Requests a minute under the throttle. */
const RATE = 2;

/** Clients: whose key they use, and from where. */
const CLIENTS = {
  'anna, first key': { key: 'first', from: HERE },
  'anna, second key': { key: 'second', from: HERE },
  'anna, first key, elsewhere': { key: 'first', from: THERE },
  'adam of the same tenant': { key: 'colleague', from: HERE },
  'zoe of another tenant': { key: 'stranger', from: HERE },
  'zoe, elsewhere': { key: 'stranger', from: THERE },
} as const;
type Client = keyof typeof CLIENTS;
const ALL = Object.keys(CLIENTS) as Client[];

/** Whom a measure names, and who that is. */
const TARGETS = {
  tenant: {
    meets: ['anna, first key', 'anna, second key', 'anna, first key, elsewhere', 'adam of the same tenant'],
  },
  credential: { meets: ['anna, first key', 'anna, first key, elsewhere'] },
  address: { meets: ['anna, first key, elsewhere', 'zoe, elsewhere'] },
} as const satisfies Record<string, { readonly meets: readonly Client[] }>;
type Target = keyof typeof TARGETS;

const VERBS = { throttle: 'Throttle', degrade: 'Degrade', quarantine: 'Quarantine' } as const;
type Measure = keyof typeof VERBS;
const WALKS = (Object.keys(TARGETS) as Target[]).flatMap((target) =>
  (Object.keys(VERBS) as Measure[]).map((measure) => [measure, target] as const),
);

// What a button says is held against requests of programs that know nothing of it.
describe.skipIf(!hasChromium)('measures on a tenant, a key and an address (needs /usr/bin/chromium)', () => {
  const on = onRealGateway(async () => {
    const { hardened } = await bundledExample();
    return () => ({
      ...{ listen: { port: 0 }, management: { port: 0 } },
      log: { publishEvery: '1 second' },
      // Nothing happens by itself: what a test sees is what a person did.
      incidents: { respond: { mode: 'off' } },
      models: { signs: { file: hardened, check: { asGiven: true } } },
    });
  });
  const picture = doubtful(0);
  const keys: Record<string, { readonly text: string; readonly id: string }> = {};
  let ann: Person;

  beforeAll(async () => {
    for (const [key, principal, tenant] of [
      ['first', 'anna', 'acme'],
      ['second', 'anna', 'acme'],
      ['colleague', 'adam', 'acme'],
      ['stranger', 'zoe', 'other'],
    ] as const)
      keys[key] = await on.keyed(principal, { tenant });
    ann = await on.signIn('ann');
  });

  const ask = (client: Client, model?: string): Promise<Answer> => {
    const { key, from } = CLIENTS[client];
    return on.ask(keys[key]!.text, picture, { from, ...(model && { model }) });
  };
  const isWhole = (scores: readonly number[]) => scores.some((score) => score > 0 && score < 1);
  /** These are answered with all scores, more often than the throttle lets anybody. */
  const goOn = async (clients: readonly Client[]): Promise<void> => {
    for (const client of clients)
      for (let i = 0; i <= RATE; i++) {
        const { status, scores } = await ask(client);
        expect([client, status, isWhole(scores)]).toEqual([client, 200, true]);
      }
  };
  /** What each of these is told while they are met. */
  const UNDER: Readonly<Record<Measure, (met: readonly Client[]) => Promise<void>>> = {
    async throttle(met) {
      // One allowance for all whom the measure names.
      for (let i = 0; i < RATE; i++) expect((await ask(met[i % met.length]!)).status).toBe(200);
      for (const client of met)
        expect([client, await ask(client)]).toMatchObject([
          client,
          { status: 429, error: 'too many requests', scores: [] },
        ]);
    },
    async degrade(met) {
      for (const client of met) {
        const { status, scores } = await ask(client);
        expect([client, status]).toEqual([client, 200]);
        expect(scores.filter((score) => score === 1)).toHaveLength(1);
        expect(scores.filter((score) => score === 0)).toHaveLength(scores.length - 1);
      }
    },
    async quarantine(met) {
      for (const client of met) {
        const refused = await ask(client);
        expect([client, refused.status]).toEqual([client, 404]);
        expect(refused).toEqual(await ask(client, 'nowhere'));
      }
    },
  };
  const nameOf = (target: Target): string =>
    ({ tenant: 'acme', credential: keys.first!.id, address: THERE })[target];
  const reads = (measure: Measure, target: Target): string => {
    const whom = `${target === 'credential' ? 'key' : target} ${nameOf(target)}`;
    return {
      throttle: `${whom} may ask ${RATE} times a minute`,
      degrade: `${whom} gets the class alone`,
      quarantine: `${whom} gets no answers`,
    }[measure];
  };
  const fill = async (page: Page, measure: Measure, target: Target): Promise<void> => {
    await field(page, 'For').selectOption(target);
    await dialog(page).getByLabel(/^Who/).fill(nameOf(target));
    if (measure === 'throttle')
      await dialog(page)
        .getByLabel(/^Requests a minute/)
        .fill(String(RATE));
    await dialog(page).getByLabel(/^Why/).fill('drill');
  };

  it.each(WALKS)('%s by %s meets those alone, until it is lifted', async (measure, target) => {
    const { page } = ann;
    const met: readonly Client[] = TARGETS[target].meets;
    const others = ALL.filter((client) => !met.includes(client));
    const words = reads(measure, target);
    await goOn(ALL);
    await ann.open('/cases');
    await begin(page, measure);
    await fill(page, measure, target);
    await preview(page);
    await dialog(page).getByRole('heading', { name: 'What it will do' }).waitFor();
    expect(await dialog(page).locator('.happened').textContent()).toBe(words);
    await take(page, VERBS[measure]);
    await inForce(page, words).waitFor();
    await UNDER[measure](met);
    await goOn(others);
    await lift(page, words);
    await page.getByText('Lifted.', { exact: true }).waitFor();
    await inForce(page, words).waitFor({ state: 'detached' });
    await goOn(ALL);
    expect(ann.complaints).toEqual([]);
  });

  it('a key is quarantined where the keys are, and the page of its client says so', async () => {
    const { page } = ann;
    const words = reads('quarantine', 'credential');
    await ann.open('/people?find=anna');
    const { id } = keys.first!;
    await page.locator(`button[aria-description="anna, key ${id.slice(0, 8)}"]`).click();
    expect(await dialog(page).getByLabel(/^Who/).inputValue()).toBe(id);
    await dialog(page).getByLabel(/^Why/).fill('drill');
    await preview(page);
    expect(await dialog(page).locator('.happened').textContent()).toBe(words);
    await take(page, 'Quarantine');
    await UNDER.quarantine(TARGETS.credential.meets);
    await goOn(['anna, second key', 'adam of the same tenant', 'zoe of another tenant', 'zoe, elsewhere']);
    await ann.open('/traffic/anna');
    await inForce(page, words).waitFor();
    await lift(page, words);
    await inForce(page, words).waitFor({ state: 'detached' });
    await goOn(ALL);
    expect(ann.complaints).toEqual([]);
  });

  it('a measure on a tenant is said on the page of each of its clients, and on no other', async () => {
    const { page } = ann;
    const words = reads('degrade', 'tenant');
    await ann.open('/cases');
    await begin(page, 'degrade');
    await fill(page, 'degrade', 'tenant');
    await preview(page);
    // A call is found when it is in the log.
    await dialog(page)
      .getByText(/adam, anna|anna, adam/)
      .waitFor();
    await take(page, 'Degrade');
    for (const client of ['anna', 'adam']) {
      await ann.open(`/traffic/${client}`);
      await inForce(page, words).waitFor();
    }
    await ann.open('/traffic/zoe');
    expect(await page.locator('.measures li').count()).toBe(0);
    await ann.open('/traffic/adam');
    await lift(page, words);
    await inForce(page, words).waitFor({ state: 'detached' });
    await goOn(ALL);
    expect(ann.complaints).toEqual([]);
  });
});

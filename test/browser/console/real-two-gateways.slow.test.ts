import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../../../src/gateway/open-gateway.ts';
import { NO_POSTGRES, type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { until } from '../../until.ts';
import { askModel } from './ask-model.ts';
import { keyOf, linkFor } from './client-keys.ts';
import { begin, dialog, inForce, lift, preview, take } from './measure-form.ts';
import { doubtful } from './on-real-gateway.ts';
import { CHROMIUM, hasChromium, openBrowser } from './open-browser.ts';
import { type Person, signInWith } from './sign-in.ts';

const missing = hasChromium ? (NO_POSTGRES ?? '') : `needs ${CHROMIUM}`;
/** Requests a minute under the throttle, at each gateway. */
const RATE = 2;
/** A second is what the documents say; the rest is for a machine that does much else. */
const PATIENCE = { timeout: 15_000, interval: 50 };

const READS = {
  throttle: `mallory may ask ${RATE} times a minute`,
  degrade: 'mallory gets the class alone',
  quarantine: 'mallory gets no answers',
} as const;
type Measure = keyof typeof READS;
const VERBS = { throttle: 'Throttle', degrade: 'Degrade', quarantine: 'Quarantine' } as const;

// What one console does is held against requests to the other gateway.
describe.skipIf(missing !== '')(
  `${missing || 'measures'}: two gateways of one store, each with its console`,
  () => {
    const picture = doubtful(0);
    const gateways: RunningGateway[] = [];
    const people: Person[] = [];
    let folder = '';
    let postgres: PostgresServer | undefined;
    let browser: Browser | undefined;
    const keys: Record<'mallory' | 'other', string> = { mallory: '', other: '' };

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'glacis-two-'));
      postgres = await startPostgres();
      const { hardened } = await bundledExample();
      const serve = {
        ...{ listen: { port: 0 }, management: { port: 0 } },
        store: { kind: 'postgres', url: await postgres.createDatabase() },
        identity: { keys: { refresh: '100 ms' } },
        incidents: { respond: { mode: 'off' } },
        models: { signs: { file: hardened, check: { asGiven: true } } },
      };
      const { config } = readServe(JSON.stringify({ serve }), 'test');
      const secretFile = join(folder, 'secret');
      await writeFile(secretFile, 'ab'.repeat(32), { mode: 0o600 });
      for (const name of ['first', 'second']) {
        await mkdir(join(folder, name));
        const places = { dataFolder: join(folder, name, 'data'), secretFile, folder, home: folder };
        gateways.push(await openGateway({ config, ...places, env: {} }));
      }
      for (const who of ['mallory', 'other'] as const) {
        const { text, id } = await keyOf(gateways[0]!, who);
        keys[who] = text;
        await until(() => gateways[1]!.keys.find(id) !== undefined);
      }
      browser = await openBrowser();
      for (const [i, gateway] of gateways.entries()) {
        const link = await linkFor(gateway, `ann-${i}`);
        people.push(await signInWith(browser, link, gateway.addresses.management));
      }
    });
    afterAll(async () => {
      await browser?.close();
      await Promise.all(gateways.map((gateway) => gateway.drain()));
      await postgres?.stop();
      if (folder !== '') await rm(folder, { recursive: true, force: true });
    });

    const ask = (at: number, who: keyof typeof keys) =>
      askModel(gateways[at]!.addresses.rest, keys[who], picture);
    const isWhole = (scores: readonly number[]) => scores.some((score) => score > 0 && score < 1);
    /** What one call of somebody shows: `free` where all scores came. */
    const shown = async (at: number, who: keyof typeof keys): Promise<string> => {
      const { status, scores } = await ask(at, who);
      return status !== 200 ? String(status) : isWhole(scores) ? 'free' : 'label';
    };
    /** Somebody is free at a gateway, more often than the throttle lets anybody. */
    const isFree = async (at: number, who: keyof typeof keys): Promise<void> => {
      for (let i = 0; i <= RATE; i++) expect(await shown(at, who)).toBe('free');
    };
    const UNDER: Readonly<Record<Measure, string>> = { throttle: '429', degrade: 'label', quarantine: '404' };

    it.each([
      ['throttle', 0],
      ['degrade', 1],
      ['quarantine', 0],
    ] as const)(
      '%s that one console takes is in force at both, and lifted at the other',
      async (measure, at) => {
        const [here, there] = [people[at]!, people[1 - at]!];
        const words = READS[measure];
        for (const i of [0, 1]) await isFree(i, 'mallory');
        await here.open('/cases');
        await begin(here.page, measure);
        await dialog(here.page).getByLabel(/^Who/).fill('mallory');
        if (measure === 'throttle')
          await dialog(here.page)
            .getByLabel(/^Requests a minute/)
            .fill(String(RATE));
        await dialog(here.page).getByLabel(/^Why/).fill('drill');
        await preview(here.page);
        await take(here.page, VERBS[measure]);
        // The one that was told has it at once, the other within a second.
        if (measure === 'throttle')
          for (let i = 0; i < RATE; i++) expect(await shown(at, 'mallory')).toBe('free');
        expect(await shown(at, 'mallory')).toBe(UNDER[measure]);
        await expect.poll(() => shown(1 - at, 'mallory'), PATIENCE).toBe(UNDER[measure]);
        for (const i of [0, 1]) await isFree(i, 'other');
        await there.open('/cases');
        await inForce(there.page, words)
          .getByText(new RegExp(`^by ann-${at} `))
          .waitFor();
        await lift(there.page, words);
        await there.page.getByText('Lifted.', { exact: true }).waitFor();
        await inForce(there.page, words).waitFor({ state: 'detached' });
        await isFree(1 - at, 'mallory');
        await expect.poll(() => shown(at, 'mallory'), PATIENCE).toBe('free');
        await isFree(at, 'mallory');
        await here.open('/cases');
        expect(await inForce(here.page, words).count()).toBe(0);
        for (const { complaints } of people) expect(complaints).toEqual([]);
      },
    );
  },
);

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { span, writeSide } from '../../../src/assess/compare/side.fixture.ts';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { openLab } from '../../../src/cli/lab/open-lab.ts';
import { writeNpz } from '../../../src/data/index.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import { readServe } from '../../../src/gateway/config/read-serve.ts';
import { openGateway, type RunningGateway } from '../../../src/gateway/open-gateway.ts';
import { complaintsOf, hasChromium, openBrowser } from './open-browser.ts';

const PICTURES = 6;

describe.skipIf(!hasChromium)('the console of a real gateway (needs /usr/bin/chromium)', () => {
  let folder: string;
  let gateway: RunningGateway;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-real-'));
    const example = await bundledExample();
    const { x, y } = renderSplit({ seed: 3, split: 'test', n: PICTURES, start: 0 });
    const inputs = join(folder, 'signs.npz');
    await writeNpz(inputs, {
      x: { data: x, shape: [PICTURES, ...SIGN_SHAPE] },
      y: { data: Uint8Array.from(y), shape: [PICTURES] },
    });
    const reports = join(folder, 'reports');
    await mkdir(reports);
    for (const [i, fell] of [30, 5].entries())
      await writeSide(join(reports, String(i), 'assessment.json'), {
        n: 40,
        runs: [{ attack: 'pgd', eps: 8 / 255, fell: span(0, fell) }],
      });
    const classNames = SIGN_CLASSES.map(({ name }) => name);
    const serve = {
      ...{ listen: { port: 0 }, management: { port: 0 } },
      models: { signs: { file: example.model, check: { asGiven: true } } },
      console: { assessments: reports, lab: { models: { signs: { inputs, classNames } } } },
    };
    const { config } = readServe(JSON.stringify({ serve }), 'test');
    browser = await openBrowser();
    gateway = await openGateway({
      ...{ config, dataFolder: join(folder, 'data'), folder, env: process.env, home: homedir() },
      lab: openLab(config.console.lab, { placeOf: (path) => path }),
    });
    url = gateway.addresses.management;
    const scope = { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' } as const;
    const { text } = await gateway.keys.create(
      { principal: 'admin', tenant: 'local', roles: ['admin'], scope },
      { id: 'test', mayGrant: true },
    );
    const authorization = `Bearer ${text}`;
    const data = Array.from(x.subarray(0, x.length / PICTURES), (value) => value / 255);
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${gateway.addresses.rest}/v2/models/signs/infer`, {
        ...{ method: 'POST', headers: { authorization, 'content-type': 'application/json' } },
        body: JSON.stringify({
          inputs: [{ name: 'input', datatype: 'FP32', shape: [1, ...SIGN_SHAPE], data }],
        }),
      });
      expect(answer.status).toBe(200);
    }
    const made = await fetch(`${url}/api/session/links`, {
      ...{ method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: '{}' },
    });
    const link = (await made.json()) as { url: string };
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    complaints = complaintsOf(page, url);
    await page.goto(link.url);
    await page.getByRole('navigation', { name: 'Pages' }).first().waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.drain();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (path: string) => page.goto(`${url}/console${path}`);

  it('checks the receipt of a decision that was made a moment ago', async () => {
    await open('/ledger');
    await page.locator('tbody a').first().click();
    await page.getByText('The receipt holds', { exact: true }).waitFor();
    await page.getByText('Climb to the root').waitFor();
  });

  it('tries an attack on the very file that is served', async () => {
    await open('/lab');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The decision flipped').waitFor();
    await page.getByText('What the model looked at').waitFor();
  });

  it('has assessments, what is required, and keys', async () => {
    await open('/assessments/compare');
    await page.getByText('McNemar’s exact test').waitFor();
    await open('/policy');
    await page.getByText('Nobody vouches for it').waitFor();
    await open('/people');
    await page.locator('tbody tr', { hasText: 'admin' }).waitFor();
    await open('/people?tab=sessions');
    await page.getByText('One-time link').waitFor();
    await open('/review');
    await page.getByText('Nothing waits for you').waitFor();
    expect(complaints).toEqual([]);
  });
});

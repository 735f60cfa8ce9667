import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { span, writeSide } from '../../../src/assess/compare/side.fixture.ts';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { writeNpz } from '../../../src/data/index.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../../../src/data/traffic-signs/render.ts';
import { onRealGateway, sign } from './on-real-gateway.ts';
import { hasChromium } from './open-browser.ts';
import type { Person } from './sign-in.ts';

const PICTURES = 6;

describe.skipIf(!hasChromium)('the console of a real gateway (needs /usr/bin/chromium)', () => {
  const on = onRealGateway(async (folder) => {
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
    return () => ({
      ...{ listen: { port: 0 }, management: { port: 0 } },
      models: { signs: { file: example.model, check: { asGiven: true } } },
      console: { assessments: reports, lab: { models: { signs: { inputs, classNames } } } },
    });
  });
  let admin: Person;

  beforeAll(async () => {
    const { text } = await on.keyed('visitor');
    for (let i = 0; i < 5; i++) expect((await on.ask(text, sign(0))).status).toBe(200);
    admin = await on.signIn('admin');
  });

  it('checks the receipt of a decision that was made a moment ago', async () => {
    const { page } = admin;
    await admin.open('/ledger');
    await page.locator('tbody a').first().click();
    await page.getByText('The receipt holds', { exact: true }).waitFor();
    await page.getByText('Climb to the root').waitFor();
  });

  it('tries an attack on the very file that is served', async () => {
    const { page } = admin;
    await admin.open('/lab');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('The decision flipped').waitFor();
    await page.getByText('What the model looked at').waitFor();
  });

  it('has assessments, what is required, and keys', async () => {
    const { page } = admin;
    await admin.open('/assessments/compare');
    await page.getByText('McNemar’s exact test').waitFor();
    await admin.open('/policy');
    await page.getByText('Nobody vouches for it').waitFor();
    await admin.open('/people');
    await page.locator('tbody tr', { hasText: 'admin' }).waitFor();
    await admin.open('/people?tab=sessions');
    await page.getByText('One-time link').waitFor();
    await admin.open('/review');
    await page.getByText('Nothing waits for you').waitFor();
    expect(admin.complaints).toEqual([]);
  });
});

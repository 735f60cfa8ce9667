import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { complaintsOf, hasChromium, openBrowser } from './open-browser.ts';

describe.skipIf(!hasChromium)('the console in a browser (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  let server: FixtureServer;
  beforeAll(async () => {
    [browser, server] = await Promise.all([openBrowser(), openFixture()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('opens on what needs a person, leads to its case, and takes a measure after asking', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const complaints = complaintsOf(page, server.url);
    await page.goto(`${server.url}/console/`);
    await page.getByRole('heading', { level: 1, name: /cases wait for a person/ }).waitFor();
    await page.getByRole('link', { name: /Three keys of the tenant trial/ }).click();
    await page.getByRole('button', { name: 'Do it' }).first().click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toMatch(
      /probe-a7 gets the class alone.*Answers go on, and hold less/s,
    );
    await dialog.getByLabel(/Why/).fill('seen in the smoke test');
    await dialog.getByRole('button', { name: 'Degrade' }).click();
    await page.getByText('Done: it is in force.').waitFor();
    expect(server.acts.at(-1)).toMatchObject({
      path: '/api/cases/C-2026-0012/act',
      body: {
        wish: { measure: 'degrade', target: { principal: 'probe-a7' }, because: 'seen in the smoke test' },
      },
    });
    await page.getByRole('heading', { name: 'Measures in force' }).waitFor();
    expect(await page.getByText('Contained').count()).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

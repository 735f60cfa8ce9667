import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { openRealParts, type RealParts } from '../../../console/dev/real/open-real.ts';
import { hasChromium, openBrowser, settled } from './open-browser.ts';

/** Most elements that a walk by Tab passes. */
const FURTHEST = 120;

describe.skipIf(!hasChromium)('without a mouse, on real parts (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  let real: RealParts;
  let server: FixtureServer;
  let page: Page;
  beforeAll(async () => {
    [browser, real] = await Promise.all([openBrowser(), openRealParts()]);
    server = await openFixture({ more: real.fixtures, pace: 0 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await real?.close();
  });
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  });
  afterEach(() => page.close());

  const open = async (path: string) => {
    await page.goto(`${server.url}/console${path}`);
    await settled(page);
  };
  const dialog = () => page.getByRole('dialog');
  /** What the focus is on, as it is read out: its label, or its text. Nothing where it cannot be seen. */
  const focused = () =>
    page.evaluate(`(() => {
      const at = document.activeElement;
      const { outlineStyle, boxShadow } = getComputedStyle(at);
      const isSeen = outlineStyle !== 'none' || boxShadow !== 'none';
      const label = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent;
      return isSeen ? label.trim() : '';
    })()`) as Promise<string>;
  /** Presses Tab until the focus is, to be seen, on what is called so. */
  const tabTo = async (name: RegExp): Promise<void> => {
    const passed: string[] = [];
    for (let i = 0; i < FURTHEST; i++) {
      await page.keyboard.press('Tab');
      const now = await focused();
      if (name.test(now)) return;
      passed.push(now.slice(0, 40));
    }
    expect.fail(`${name} was not reached by Tab; passed: ${passed.join(' | ')}`);
  };

  it('somebody finds the next call that is held, says why, and releases it', async () => {
    await open('/review');
    await page.getByText('and its second opinion').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('/review/');
    await page.getByText('Your decision').waitFor();
    await tabTo(/^Comment/);
    await page.keyboard.type('read, right');
    // While somebody writes, r is a letter.
    expect(await dialog().count()).toBe(0);
    await tabTo(/^Release/);
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await focused()).toMatch(/^Release/);
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Release$/);
    await page.keyboard.press('Enter');
    await page.getByText(/Released: the same call is answered/).waitFor();
    expect(server.acts.findLast(({ path }) => path.startsWith('/api/reviews/'))?.body).toMatchObject({
      verdict: 'release',
      comment: 'read, right',
    });
  });

  it('somebody tries an attack in the lab and goes through its steps', async () => {
    await open('/lab');
    await tabTo(/^Try it/);
    await page.keyboard.press('Enter');
    await page.locator('.lab-verdict').waitFor();
    await tabTo(/^Step of the attack/);
    const step = () => page.getByLabel('Step of the attack').getAttribute('aria-valuetext');
    await page.keyboard.press('Home');
    await expect.poll(step).toMatch(/^step 0 of/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(step).toMatch(/^step 1 of/);
    await page.keyboard.press('End');
    await expect.poll(step).toMatch(/^step (\d+) of \1:/);
  });

  it('somebody makes a key, keeps it, and revokes it', async () => {
    await open('/people');
    await page.locator('tbody tr').first().waitFor();
    await tabTo(/^New key/);
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Caller/);
    await page.keyboard.type('night-shift');
    await tabTo(/^Tenant/);
    await page.keyboard.type('acme');
    // Enter in a field makes it.
    await page.keyboard.press('Enter');
    await dialog().locator('.secret').waitFor();
    // A key that is shown once is not lost by a key that is pressed by mistake.
    await page.keyboard.press('Escape');
    expect(await dialog().locator('.secret').count()).toBe(1);
    await tabTo(/I have kept it/);
    await page.keyboard.press('Space');
    await tabTo(/^Close$/);
    await page.keyboard.press('Enter');
    await dialog().waitFor({ state: 'detached' });
    const row = page.locator('tbody tr', { hasText: 'night-shift' });
    await row.getByRole('button', { name: 'Revoke' }).focus();
    await page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Why/);
    await page.keyboard.type('a test');
    await tabTo(/^Revoke$/);
    await page.keyboard.press('Enter');
    await row.filter({ hasText: 'Revoked' }).waitFor();
  });

  it('somebody who never saw it finds who attacked and what was affected', async () => {
    // Where one comes out after signing in: nothing but links and buttons that can be seen.
    await open('/');
    await tabTo(/mallory-labs is copying traffic-signs/);
    await page.keyboard.press('Enter');
    const about = page.getByRole('region', { name: 'Who and what' });
    await about.getByText('mallory-labs').waitFor();
    // Nobody is listed without the monitor that says so.
    await about.getByText(/named by extraction/).waitFor();
    expect(await about.getByText(/named by/).count()).toBe(1);
    await page.getByRole('tab', { name: 'What was affected' }).click();
    await page.getByRole('button', { name: 'Find out' }).click();
    await page.getByRole('link', { name: /The evidence, signed/ }).waitFor();
    expect(server.acts.findLast(({ path }) => path.endsWith('/impact'))?.body).toMatchObject({
      scope: { principal: 'mallory-labs', model: 'traffic-signs' },
    });
  });
});

import { describe, expect, it } from 'vitest';
import { onRealParts } from './on-real-parts.ts';
import { hasChromium } from './open-browser.ts';

/** Most elements that a walk by Tab passes. */
const FURTHEST = 120;

describe.skipIf(!hasChromium)('without a mouse, on real parts (needs /usr/bin/chromium)', () => {
  const on = onRealParts();
  const { open } = on;
  const dialog = () => on.page.getByRole('dialog');
  /** What the focus is on, as it is read out: its label, or its text. Nothing where it cannot be seen. */
  const focused = () =>
    on.page.evaluate(`(() => {
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
      await on.page.keyboard.press('Tab');
      const now = await focused();
      if (name.test(now)) return;
      passed.push(now.slice(0, 40));
    }
    expect.fail(`${name} was not reached by Tab; passed: ${passed.join(' | ')}`);
  };

  it('somebody finds the next call that is held, says why, and releases it', async () => {
    await open('/review');
    await on.page.getByText('and its second opinion').waitFor();
    await on.page.keyboard.press('j');
    await on.page.keyboard.press('Enter');
    await expect.poll(() => on.page.url()).toContain('/review/');
    await on.page.getByText('Your decision').waitFor();
    await tabTo(/^Comment/);
    await on.page.keyboard.type('read, right');
    // While somebody writes, r is a letter.
    expect(await dialog().count()).toBe(0);
    await tabTo(/^Release/);
    await on.page.keyboard.press('Enter');
    await dialog().waitFor();
    await on.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await focused()).toMatch(/^Release/);
    await on.page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Release$/);
    await on.page.keyboard.press('Enter');
    await on.page.getByText(/Released: the same call is answered/).waitFor();
    expect(on.server.acts.findLast(({ path }) => path.startsWith('/api/reviews/'))?.body).toMatchObject({
      verdict: 'release',
      comment: 'read, right',
    });
  });

  it('somebody tries an attack in the lab and goes through its steps', async () => {
    await open('/lab');
    await tabTo(/^Try it/);
    await on.page.keyboard.press('Enter');
    await on.page.locator('.lab-verdict').waitFor();
    await tabTo(/^Step of the attack/);
    const step = () => on.page.getByLabel('Step of the attack').getAttribute('aria-valuetext');
    await on.page.keyboard.press('Home');
    await expect.poll(step).toMatch(/^step 0 of/);
    await on.page.keyboard.press('ArrowRight');
    await expect.poll(step).toMatch(/^step 1 of/);
    await on.page.keyboard.press('End');
    await expect.poll(step).toMatch(/^step (\d+) of \1:/);
  });

  it('somebody makes a key, keeps it, and revokes it', async () => {
    await open('/people');
    await on.page.locator('tbody tr').first().waitFor();
    await tabTo(/^New key/);
    await on.page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Caller/);
    await on.page.keyboard.type('night-shift');
    await tabTo(/^Tenant/);
    await on.page.keyboard.type('acme');
    // Enter in a field makes it.
    await on.page.keyboard.press('Enter');
    await dialog().locator('.secret').waitFor();
    // A key that is shown once is not lost by a key that is pressed by mistake.
    await on.page.keyboard.press('Escape');
    expect(await dialog().locator('.secret').count()).toBe(1);
    await tabTo(/I have kept it/);
    await on.page.keyboard.press('Space');
    await tabTo(/^Close$/);
    await on.page.keyboard.press('Enter');
    await dialog().waitFor({ state: 'detached' });
    const row = on.page.locator('tbody tr', { hasText: 'night-shift' });
    await row.getByRole('button', { name: 'Revoke' }).focus();
    await on.page.keyboard.press('Enter');
    await dialog().waitFor();
    await tabTo(/^Why/);
    await on.page.keyboard.type('a test');
    await tabTo(/^Revoke$/);
    await on.page.keyboard.press('Enter');
    await row.filter({ hasText: 'Revoked' }).waitFor();
  });

  it('somebody who never saw it finds who attacked and what was affected', async () => {
    // Where one comes out after signing in: nothing but links and buttons that can be seen.
    await open('/');
    await tabTo(/mallory-labs is copying traffic-signs/);
    await on.page.keyboard.press('Enter');
    const about = on.page.getByRole('region', { name: 'Who and what' });
    await about.getByText('mallory-labs').waitFor();
    // Nobody is listed without the monitor that says so.
    await about.getByText(/named by extraction/).waitFor();
    expect(await about.getByText(/named by/).count()).toBe(1);
    await on.page.getByRole('tab', { name: 'What was affected' }).click();
    await on.page.getByRole('button', { name: 'Find out' }).click();
    await on.page.getByRole('link', { name: /The evidence, signed/ }).waitFor();
    expect(on.server.acts.findLast(({ path }) => path.endsWith('/impact'))?.body).toMatchObject({
      scope: { principal: 'mallory-labs', model: 'traffic-signs' },
    });
  });
});

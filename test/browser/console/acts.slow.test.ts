import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FixtureOptions, type FixtureServer, openFixture } from '../../../console/dev/fixture-server.ts';
import { HOSTILE } from '../../../console/dev/world.ts';
import { barriersOn } from './accessibility.ts';
import { complaintsOf, hasChromium, openBrowser } from './open-browser.ts';

describe.skipIf(!hasChromium)('what a person does in the console (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  const open: FixtureServer[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
  });
  beforeEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(open.map((server) => server.close()));
  });

  const visit = async (
    path: string,
    options: FixtureOptions = {},
    width = 1280,
  ): Promise<{ page: Page; server: FixtureServer; complaints: readonly string[] }> => {
    const server = await openFixture(options);
    open.push(server);
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const complaints = complaintsOf(page, server.url);
    await page.goto(`${server.url}/console${path}`);
    return { page, server, complaints };
  };
  const h1 = (page: Page) => page.getByRole('heading', { level: 1 });
  const lastAct = (server: FixtureServer) => server.acts.at(-1);

  it('signs in with a one-time link, which leaves the address at once, and comes to the page that was asked for', async () => {
    const { page } = await visit('/cases/C-2026-0010#link=good-link', { signedOut: true });
    await page.getByText('mallory-labs is copying traffic-signs').first().waitFor();
    expect(page.url()).not.toContain('link');
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
    await page.close();
  });

  it('says that a link was used, and takes one that is pasted', async () => {
    const { page } = await visit('/#link=old-link', { signedOut: true });
    await page.getByText('used already').waitFor();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByLabel('One-time link').fill('http://127.0.0.1:8082/console/#link=good-link');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await h1(page).filter({ hasText: 'wait for a person' }).waitFor();
    await page.close();
  });

  it('leads to the identity provider', async () => {
    const { page } = await visit('/', { signedOut: true });
    expect(await page.getByRole('link', { name: /Example ID/ }).getAttribute('href')).toBe(
      '/api/session/oidc/example',
    );
    await page.close();
  });

  it('shows nothing of before when the session ends elsewhere', async () => {
    const { page, server } = await visit('/cases');
    await page.getByText('Three keys of the tenant trial').waitFor();
    await page.getByText('Live').first().waitFor();
    server.signOut();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.getByText('Three keys').count()).toBe(0);
    await page.close();
  });

  it('signs out', async () => {
    const { page } = await visit('/');
    await page.getByRole('button', { name: /ada/ }).click();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.close();
  });

  it('comes back by itself after the stream of events broke, and then knows what happened meanwhile', async () => {
    const { page, server } = await visit('/cases');
    await page.getByText('Live').first().waitFor();
    server.breakStreams(1500);
    await page.getByText('Reconnecting').waitFor();
    const old = server.world.cases.get('C-2026-0012')!;
    server.world.cases.set('C-2026-0012', { ...old, title: 'Renamed while nobody listened' });
    await page.getByText('Renamed while nobody listened').first().waitFor({ timeout: 15_000 });
    await page.close();
  });

  it('keeps what it showed when questions fail, and says that it is old', async () => {
    const { page, server } = await visit('/');
    await h1(page).waitFor();
    server.fail(503);
    await page.getByText('This is not renewed').waitFor({ timeout: 15_000 });
    expect(await page.getByText('Three keys of the tenant trial').count()).toBeGreaterThan(0);
    server.fail(undefined);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('This is not renewed').waitFor({ state: 'detached' });
    await page.close();
  });

  it('opens any page, case or client from the palette', async () => {
    const { page } = await visit('/');
    await h1(page).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('mallory is');
    expect(await barriersOn(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await h1(page).filter({ hasText: 'mallory-labs is copying' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('workshop-09');
    await page.getByRole('option', { name: /among clients/ }).click();
    await page.getByRole('link', { name: 'workshop-099' }).waitFor();
    expect(page.url()).toContain('find=workshop-09');
    await page.close();
  });

  it('walks a case with the keyboard alone: from the overview to a measure that is in force', async () => {
    const { page, server } = await visit('/');
    await page.getByText('Three keys of the tenant trial').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await h1(page).filter({ hasText: 'wait for a person' }).waitFor();
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.getByText('Three keys of the tenant trial').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await h1(page).filter({ hasText: 'Three keys of the tenant trial' }).waitFor();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.textContent')) === 'Do it') break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await page.evaluate('document.querySelector("dialog").contains(document.activeElement)')).toBe(
      true,
    );
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Do it');
    expect(server.acts).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.textContent')) === 'Degrade') break;
    }
    await page.keyboard.press('Enter');
    await page.getByText('Done: it is in force.').waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/cases/C-2026-0012/act',
      body: { wish: { measure: 'degrade' } },
    });
    await page.close();
  });

  it('agrees to what somebody else asked for, comments, takes the case and closes it', async () => {
    const { page, server } = await visit('/cases/C-2026-0012');
    await page.getByRole('button', { name: 'Agree' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Agree' }).click();
    await page.getByText('Agreed: it is done.').waitFor();
    expect(lastAct(server)).toMatchObject({ path: '/api/cases/C-2026-0012/approve', body: { act: 'ask-1' } });
    await page.getByLabel('A comment').fill('<script>document.title=2</script> spoken to them');
    await page.getByRole('button', { name: 'Write it down' }).click();
    await page.locator('.said', { hasText: 'spoken to them' }).waitFor();
    await page.getByRole('button', { name: 'I take it' }).click();
    await page.getByText('The case is yours.').waitFor();
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByLabel(/A false alarm/).check();
    await page.getByRole('button', { name: 'Close the case' }).click();
    await page.getByText('Closed: false alarm').waitFor();
    expect(lastAct(server)?.body).toMatchObject({ state: 'closed', verdict: 'false-alarm' });
    await page.close();
  });

  it('asks for a second person where the policy wants one', async () => {
    const { page, server } = await visit('/cases/C-2026-0012');
    await page.getByRole('button', { name: 'Ask for it' }).first().click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('A second person must agree');
    await dialog.getByRole('button', { name: 'Ask for it' }).click();
    await page.getByText('Asked: it waits for a second person.').waitFor();
    expect(server.world.orders.some(({ measure }) => measure === 'quarantine')).toBe(false);
    await page.close();
  });

  it('tells the second of two people who act at once, and changes nothing', async () => {
    const { page, server } = await visit('/cases/C-2026-0009', { pace: 0 });
    await h1(page).waitFor();
    const seen = server.world.cases.get('C-2026-0009')!;
    server.world.cases.set(seen.id, { ...seen, revision: seen.revision + 1, owner: 'grace' });
    await page.getByRole('button', { name: 'Take it over' }).click();
    await page.getByText('Somebody else changed this case').waitFor();
    expect(server.world.cases.get(seen.id)?.owner).toBe('grace');
    await page.close();
  });

  it('lifts a measure', async () => {
    const { page, server } = await visit('/cases/C-2026-0010');
    await page.getByRole('button', { name: 'Lift' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('Lifted.').waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/cases/C-2026-0010/lift',
      body: { order: 'order-2' },
    });
    await page.close();
  });

  it('finds out what was affected and hands over the evidence', async () => {
    const { page, server } = await visit('/cases/C-2026-0010?tab=impact');
    await page.getByLabel('Replayed by').selectOption('4');
    await page.getByRole('button', { name: 'Find out' }).click();
    await page.getByText('would be different').first().waitFor();
    const bundle = page.getByRole('link', { name: /The evidence, signed/ });
    await bundle.waitFor();
    expect(await bundle.getAttribute('href')).toMatch(/^\/api\/impacts\/I-[0-9a-f]+\/bundle$/);
    expect(server.acts.find(({ path }) => path.endsWith('/impact'))?.body).toMatchObject({
      scope: { principal: 'mallory-labs', model: 'traffic-signs' },
      against: '4',
    });
    expect(await barriersOn(page)).toEqual([]);
    await page.close();
  });

  it('packs the evidence of a case and hands it over', async () => {
    const { page, server } = await visit('/cases/C-2026-0012?tab=evidence');
    await page.getByRole('button', { name: 'Pack the evidence' }).click();
    await page.getByText('Packed: the evidence').waitFor();
    const link = page.getByRole('link', { name: 'Download the evidence' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('/api/cases/C-2026-0012/bundle');
    expect(lastAct(server)?.path).toBe('/api/cases/C-2026-0012/bundle');
    await page.close();
  });

  it('finds, sorts and pages clients, and quarantines one after saying what that means', async () => {
    const { page, server } = await visit('/traffic');
    await page.getByRole('button', { name: 'Show more' }).click();
    const rows = page.locator('section[aria-label^=Clients] tbody tr');
    await rows.nth(39).waitFor();
    await page.getByRole('button', { name: 'Budget' }).click();
    await page
      .locator('section[aria-label^=Clients] tbody tr', { hasText: 'mallory-labs' })
      .first()
      .waitFor();
    await page.getByLabel('Find a client or tenant').fill('probe');
    await rows.nth(3).waitFor({ state: 'detached' });
    await page.locator('section[aria-label^=Clients]').getByRole('link', { name: 'probe-a7' }).click();
    await h1(page).filter({ hasText: 'probe-a7' }).waitFor();
    await page.getByRole('button', { name: 'Quarantine' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('Every request is refused at once');
    await dialog.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByText('Done: it is in force.').waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/orders',
      body: { wish: { measure: 'quarantine', target: { principal: 'probe-a7' } } },
    });
    await page.close();
  });

  it('rolls a model back, after naming both versions', async () => {
    const { page, server } = await visit('/models/traffic-signs');
    await page.getByRole('button', { name: /Back to version/ }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toMatch(/version 2.*instead of 3/);
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('Version 2 answers again.').waitFor();
    expect(lastAct(server)?.path).toBe('/api/models/traffic-signs/rollback');
    await page.close();
  });

  it('widens and ends a canary, and has checks repeated', async () => {
    const { page, server } = await visit('/models/traffic-signs');
    await page.getByRole('button', { name: /Canary to/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
    await page.getByText('The canary has begun.').waitFor();
    expect(lastAct(server)?.body).toEqual({ version: '4', share: 0.2 });
    await page.getByRole('button', { name: 'End the canary' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await page.getByText('The canary has ended.').waitFor();
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText('Asked registries').waitFor();
    await page.close();
  });

  it('sends a test alert, and says so where it does not arrive', async () => {
    const { page, server } = await visit('/alerts');
    await page.getByRole('button', { name: 'Send a test' }).first().click();
    await page.getByText('The test reached on-call.').waitFor();
    await page.getByRole('button', { name: 'Send a test' }).nth(2).click();
    await page.getByText('The test did not reach siem yet').waitFor();
    expect(server.acts.map(({ path }) => path)).toEqual([
      '/api/alerts/on-call/test',
      '/api/alerts/siem/test',
    ]);
    await page.close();
  });

  it('draws no button for what the person may not do', async () => {
    const { page } = await visit('/cases/C-2026-0012', {
      without: ['incident.act', 'incident.close', 'models.rollback', 'keys.list'],
    });
    await h1(page).waitFor();
    expect(
      await page.getByRole('button', { name: /Do it|Ask for it|Close|Work on it|Agree|I take it/ }).count(),
    ).toBe(0);
    expect(await page.getByRole('link', { name: 'People & keys' }).count()).toBe(0);
    await page.close();
  });

  it('shows hostile names as what they are, everywhere', async () => {
    for (const path of [
      '/traffic?find=%3Cimg',
      '/cases/C-2026-0011',
      `/traffic/${encodeURIComponent(HOSTILE.script)}`,
      `/traffic/${encodeURIComponent(HOSTILE.turned)}`,
      '/alerts',
      '/drift?model=traffic-signs',
    ]) {
      const { page, complaints } = await visit(path);
      await page.locator('main h1').waitFor();
      await page.waitForTimeout(600);
      expect(await page.evaluate('document.querySelectorAll("main img").length'), path).toBe(0);
      expect(await page.title(), path).toMatch(/Glacis$/);
      expect(
        await page.evaluate('/[\\u202a-\\u202e\\u2066-\\u2069\\u001b]/.test(document.body.innerText)'),
        path,
      ).toBe(false);
      expect(complaints, path).toEqual([]);
      await page.close();
    }
  });

  it('goes through a phone by its bottom bar and drawer', async () => {
    const { page } = await visit('/', {}, 390);
    await h1(page).waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('link', { name: 'Alerts' }).click();
    await h1(page).filter({ hasText: 'siem cannot be reached' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.goBack();
    await h1(page).filter({ hasText: 'wait for a person' }).waitFor();
    await page.close();
  });

  it('switches colours and remembers it; has nothing that moves for who wants nothing to move', async () => {
    const { page, server } = await visit('/');
    await h1(page).waitFor();
    await page.getByRole('button', { name: 'Dark colours' }).click();
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await background()).toBe('rgb(16, 21, 27)');
    await page.reload();
    await h1(page).waitFor();
    expect(await background()).toBe('rgb(16, 21, 27)');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await page.evaluate('document.getAnimations().length')).toBe(0);
    await page.emulateMedia({ media: 'print' });
    expect(await background()).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate('getComputedStyle(document.querySelector(".sidebar")).display')).toBe('none');
    expect(server.acts).toEqual([]);
    await page.close();
  });

  it('paints the first page in less than a second on this machine', async () => {
    const { page } = await visit('/');
    await h1(page).waitFor();
    const first = (await page.evaluate(
      `performance.getEntriesByName('first-contentful-paint')[0].startTime`,
    )) as number;
    process.stderr.write(`glacis: first contentful paint after ${Math.round(first)} ms\n`);
    expect(first).toBeGreaterThan(0);
    await page.close();
  });
});

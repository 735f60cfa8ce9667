import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { FixtureServer } from '../../../console/dev/fixture-server.ts';
import { HOSTILE } from '../../../console/dev/world.ts';
import { barriersOn } from './accessibility.ts';
import { onFixture } from './on-fixture.ts';
import { hasChromium, settled } from './open-browser.ts';

/** Bytes of scripts and styles that the first page may need, unpacked. A library for drawing alone has as many. */
const MOST_BYTES = 256 * 1024;

describe.skipIf(!hasChromium)('what a person does in the console (needs /usr/bin/chromium)', () => {
  const { visit } = onFixture();
  const h1 = (page: Page) => page.getByRole('heading', { level: 1 });
  const lastAct = (server: FixtureServer) => server.acts.at(-1);

  it('signs in with a one-time link, which leaves the address at once, and comes to the page that was asked for', async () => {
    const { page } = await visit('/cases/C-2026-0010#link=good-link', { signedOut: true });
    await page.getByText('mallory-labs is copying traffic-signs').first().waitFor();
    expect(page.url()).not.toContain('link');
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2);
  });

  it('says that a link was used, and takes one that is pasted', async () => {
    const { page } = await visit('/#link=old-link', { signedOut: true });
    await page.getByText('used already').waitFor();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByLabel('One-time link').fill('http://127.0.0.1:8082/console/#link=good-link');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await h1(page).filter({ hasText: 'wait for a person' }).waitFor();
  });

  it('leads to the identity provider', async () => {
    const { page } = await visit('/', { signedOut: true });
    expect(await page.getByRole('link', { name: /Example ID/ }).getAttribute('href')).toBe(
      '/api/session/oidc/example',
    );
  });

  it('shows nothing of before when the session ends elsewhere', async () => {
    const { page, server } = await visit('/cases');
    await page.getByText('Three keys of the tenant trial').waitFor();
    await page.getByText('Live', { exact: true }).first().waitFor();
    server.signOut();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.getByText('Three keys').count()).toBe(0);
  });

  it('signs out', async () => {
    const { page } = await visit('/');
    await page.getByRole('button', { name: /ada/ }).click();
    expect(await barriersOn(page)).toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('comes back by itself after the stream of events broke, and then knows what happened meanwhile', async () => {
    const { page, server } = await visit('/cases');
    await page.getByText('Live', { exact: true }).first().waitFor();
    server.breakStreams(1500);
    await page.getByText('Reconnecting').waitFor();
    const old = server.world.cases.get('C-2026-0012')!;
    server.world.cases.set('C-2026-0012', { ...old, title: 'Renamed while nobody listened' });
    await page.getByText('Renamed while nobody listened').first().waitFor();
  });

  it('keeps what it showed when questions fail, and says that it is old', async () => {
    const { page, server } = await visit('/');
    await page.getByText('Live', { exact: true }).first().waitFor();
    // Only what was shown can be kept.
    await page.getByText('Three keys of the tenant trial').first().waitFor();
    server.fail(503);
    // What happened makes the page ask again; it would by itself some seconds later.
    server.world.publish({ kind: 'reviews' });
    await page.getByText('This is not renewed').waitFor();
    expect(await page.getByText('Three keys of the tenant trial').count()).toBeGreaterThan(0);
    server.fail(undefined);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('This is not renewed').waitFor({ state: 'detached' });
  });

  it('says of a list, too, that it is old', async () => {
    const { page, server } = await visit('/cases');
    await page.getByText('Live', { exact: true }).first().waitFor();
    await page.getByText('Three keys of the tenant trial').first().waitFor();
    server.fail(503);
    server.world.publish({ kind: 'case', case: server.world.cases.get('C-2026-0012')! });
    await page.getByText('This is not renewed').waitFor();
    expect(await page.getByText('Three keys of the tenant trial').count()).toBeGreaterThan(0);
    server.fail(undefined);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('This is not renewed').waitFor({ state: 'detached' });
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
  });

  it('asks for a second person where the policy wants one', async () => {
    const { page, server } = await visit('/cases/C-2026-0012');
    await page.getByRole('button', { name: 'Ask for it' }).first().click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toContain('A second person must agree');
    await dialog.getByRole('button', { name: 'Ask for it' }).click();
    await page.getByText('Asked: it waits for a second person, in the case C-2026-0012.').waitFor();
    expect(server.world.orders.some(({ measure }) => measure === 'quarantine')).toBe(false);
  });

  it('tells the second of two people who act at once, and changes nothing', async () => {
    const { page, server } = await visit('/cases/C-2026-0009', { pace: 0 });
    await h1(page).waitFor();
    const seen = server.world.cases.get('C-2026-0009')!;
    server.world.cases.set(seen.id, { ...seen, revision: seen.revision + 1, owner: 'grace' });
    await page.getByRole('button', { name: 'Take it over' }).click();
    await page.getByText('Somebody else changed this case').waitFor();
    expect(server.world.cases.get(seen.id)?.owner).toBe('grace');
  });

  it('opens a case by hand with the keyboard alone, and adds to the open one about the same client', async () => {
    const { page, server } = await visit('/cases');
    await settled(page);
    const opener = page.getByRole('button', { name: 'Open a case' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await barriersOn(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Open a case');
    await page.keyboard.press('Enter');
    await page.getByLabel(/^What happened/).focus();
    await page.keyboard.type('A partner asks oddly <b>much</b>');
    await page.getByLabel(/^Clients/).focus();
    await page.keyboard.type('fleet-eu');
    await page.keyboard.press('Enter');
    await h1(page).filter({ hasText: 'A partner asks oddly <b>much</b>' }).waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/cases',
      body: { kind: 'attack', severity: 'medium', principals: ['fleet-eu'] },
    });
    await page.goto(`${server.url}/console/traffic/fleet-eu`);
    await settled(page);
    // The client is in an open case now: another one is not offered here.
    expect(await opener.count()).toBe(0);
    await page.goto(`${server.url}/console/cases`);
    await opener.click();
    await page.getByLabel(/^What happened/).fill('The same again');
    await page.getByLabel(/^Clients/).fill('fleet-eu');
    await page.getByRole('dialog').getByRole('button', { name: 'Open the case' }).click();
    await page.getByText('There is an open case about the same already').waitFor();
  });

  it('says a case that is opened meanwhile, for eyes and screen readers, once', async () => {
    const { page, server } = await visit('/traffic', { pace: 0 });
    await page.getByText('Live', { exact: true }).first().waitFor();
    const now = Date.now();
    const like = server.world.cases.get('C-2026-0010')!;
    const made = { ...like, id: 'C-2026-0099', title: 'Somebody new', opened: now, updated: now };
    server.world.publish({ kind: 'case', case: made });
    server.world.publish({ kind: 'case', case: { ...made, updated: now + 5 } });
    server.world.publish({ kind: 'case', case: { ...like, updated: now } });
    const said = page.getByRole('status').filter({ hasText: 'New case, high: Somebody new' });
    await said.waitFor();
    expect(await page.getByText(/^New case/).count()).toBe(1);
    expect(await said.getByRole('link', { name: 'Open it' }).getAttribute('href')).toBe(
      '/console/cases/C-2026-0099',
    );
  });

  it('shows what was really sent, as pictures, only when it is asked for', async () => {
    const { page, server } = await visit('/cases/C-2026-0010?tab=evidence');
    await settled(page);
    expect(await page.locator('canvas').count()).toBe(0);
    const wanted = server.acts.length;
    await page.getByRole('button', { name: 'Show what was sent' }).click();
    await page
      .getByRole('img', { name: /^Input of call/ })
      .first()
      .waitFor();
    // A browser asks six questions of a server at once: the others come after them.
    const asked = () => server.acts.slice(wanted).map(({ path }) => path);
    await expect.poll(() => asked().length).toBe(8);
    expect(asked().every((path) => /^\/api\/decisions\/[0-9a-f]{32}\/input$/.test(path))).toBe(true);
    expect(await barriersOn(page)).toEqual([]);
  });

  it('has no way to what was sent for who may not read it', async () => {
    const { page } = await visit('/cases/C-2026-0010?tab=evidence', { without: ['log.payload'] });
    await settled(page);
    expect(await page.getByRole('button', { name: 'Show what was sent' }).count()).toBe(0);
  });

  it('calls classes by their names in lists of calls', async () => {
    const { page } = await visit('/traffic/mallory-labs');
    await page
      .getByText(/Speed limit|Stop|Give way|Roundabout/)
      .first()
      .waitFor();
  });

  it('lifts a measure', async () => {
    const { page, server } = await visit('/cases/C-2026-0010');
    const lift = page.getByRole('button', { name: 'Lift' }).first();
    // One of several of this name: which measure it ends is told beside.
    const about = page.locator(`[id="${await lift.getAttribute('aria-describedby')}"]`);
    expect(await about.textContent()).toMatch(/\w/);
    await lift.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('Lifted.').waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/cases/C-2026-0010/lift',
      body: { order: 'order-2' },
    });
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
  });

  it('packs the evidence of a case and hands it over', async () => {
    const { page, server } = await visit('/cases/C-2026-0012?tab=evidence');
    await page.getByRole('button', { name: 'Pack the evidence' }).click();
    await page.getByText('Packed: the evidence').waitFor();
    const link = page.getByRole('link', { name: 'Download the evidence' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('/api/cases/C-2026-0012/bundle');
    expect(lastAct(server)?.path).toBe('/api/cases/C-2026-0012/bundle');
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
    await page.getByText('Asked: it waits for a second person, in the case C-2026-0012.').waitFor();
    expect(lastAct(server)).toMatchObject({
      path: '/api/orders',
      body: { wish: { measure: 'quarantine', target: { principal: 'probe-a7' } } },
    });
  });

  it('rolls a model back, after naming both versions', async () => {
    const { page, server } = await visit('/models/traffic-signs');
    await page.getByRole('button', { name: /Back to version/ }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.textContent()).toMatch(/version 2.*instead of 3/);
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('Version 2 answers again.').waitFor();
    expect(lastAct(server)?.path).toBe('/api/models/traffic-signs/rollback');
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
  });

  it('abuse 31: shows hostile names as what they are, everywhere', async () => {
    const { page, server, complaints } = await visit('/');
    for (const path of [
      '/traffic?find=%3Cimg',
      '/cases/C-2026-0011',
      `/traffic/${encodeURIComponent(HOSTILE.script)}`,
      `/traffic/${encodeURIComponent(HOSTILE.turned)}`,
      '/alerts',
      '/drift?model=traffic-signs',
    ]) {
      await page.goto(`${server.url}/console${path}`);
      await settled(page);
      expect(await page.evaluate('document.querySelectorAll("main img").length'), path).toBe(0);
      expect(await page.title(), path).toMatch(/Glacis$/);
      expect(
        await page.evaluate('/[\\u202a-\\u202e\\u2066-\\u2069\\u001b]/.test(document.body.innerText)'),
        path,
      ).toBe(false);
      expect(complaints, path).toEqual([]);
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
  });

  it('needs little for the first page, and says when it is painted', async () => {
    // From an origin of its own, so that nothing is cached.
    const { page } = await visit('/');
    await h1(page).waitFor();
    const { painted, bytes } = (await page.evaluate(`({
      painted: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      bytes: performance.getEntriesByType('resource')
        .filter(({ initiatorType }) => initiatorType === 'script' || initiatorType === 'link')
        .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0),
    })`)) as { readonly painted: number; readonly bytes: number };
    process.stderr.write(
      `glacis: first contentful paint after ${Math.round(painted)} ms, with ${Math.round(bytes / 1024)} KiB of scripts and styles\n`,
    );
    expect(painted).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArgs } from '../../../src/cli/args.ts';
import { HONEST } from '../../../src/cli/demo/honest.ts';
import { command } from '../../../src/cli/demo.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { complaintsOf, hasChromium, openBrowser, settled } from './open-browser.ts';

// The demo as somebody meets it who has never seen it: only the link is known, and what the pages say.
describe.skipIf(!hasChromium)('the live demo, from its console alone (needs /usr/bin/chromium)', () => {
  const stop = new AbortController();
  const said: string[] = [];
  let folder: string;
  let ended: Promise<unknown>;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-demo-live-'));
    browser = await openBrowser();
    const args = ['--live', '--n', '24', '--out', join(folder, 'demo')];
    const linked = Promise.withResolvers<string>();
    const terminal: Terminal = {
      width: 96,
      print: (text) => {
        const [, link] = /Open +(http:\/\/\S+)/.exec(text) ?? [];
        if (link !== undefined) linked.resolve(link);
      },
      say: (line) => said.push(line),
      progress: () => {},
      clear: () => {},
      bold: (text) => text,
    };
    const given = readArgs(args, command.options);
    ended = command.run({ given, args, terminal, signal: stop.signal });
    ended.then(() => linked.reject(new Error('the demo ended without a link')), linked.reject);
    const link = await linked.promise;
    url = new URL(link).origin;
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
    complaints = complaintsOf(page, url);
    await page.goto(link);
    await page.getByRole('navigation', { name: 'Pages' }).first().waitFor();
  });
  afterAll(async () => {
    stop.abort();
    await Promise.allSettled([ended, browser?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('says on every page that it is a demonstration', async () => {
    await page.getByText('Demo: callers are scripted').waitFor();
    await page.goto(`${url}/console/traffic`);
    await page.getByText('Demo: callers are scripted').waitFor();
    await page.getByText(HONEST[0]).first().waitFor();
  });

  it('has both attackers caught while one looks: refused long before they have what they want, and nobody honest named', async () => {
    await expect.poll(() => said.join('\n')).toMatch(/prober was refused after \d+ questions/);
    await expect.poll(() => said.join('\n')).toMatch(/collector went home after [\d,]+ pictures/);
    const [, pictures] = /collector went home after ([\d,]+)/.exec(said.join('\n'))!;
    expect(Number(pictures!.replaceAll(',', ''))).toBeLessThan(2000);
    await page.goto(`${url}/console/cases`);
    const named = page.locator('main').getByText('collector');
    await named.first().waitFor();
    await settled(page);
    const text = (await page.locator('main').textContent())!;
    for (const name of HONEST) expect(text).not.toContain(name);
  });

  it('tells who it was, what holds them now and what was affected, with evidence to take away', async () => {
    await page.locator('main a', { hasText: 'collector' }).first().click();
    await page.getByRole('heading', { level: 1, name: /collector/ }).waitFor();
    const about = page.locator('section', { has: page.getByRole('heading', { name: 'Who and what' }) });
    await about.getByText('collector').first().waitFor();
    await page.getByRole('tab', { name: 'What was affected' }).click();
    await page.getByRole('button', { name: 'Find out' }).click();
    const bundle = page.getByRole('link', { name: /The evidence, signed/ });
    await bundle.waitFor();
    const href = await bundle.getAttribute('href');
    const status = await page.evaluate(`fetch(${JSON.stringify(href)}).then((answer) => answer.status)`);
    expect(status).toBe(200);
  });

  it('lifts what was done by itself, on the word of whoever looks', async () => {
    await page.getByRole('button', { name: 'Lift' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Lift it' }).click();
    await page.getByText('Lifted.').waitFor();
    expect(complaints).toEqual([]);
  });

  it('ends when it is told to', async () => {
    stop.abort();
    expect(await ended).toBe(0);
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundledExample } from '../../../src/cli/bundled-example.ts';
import { parseTrustFile } from '../../../src/gateway/record/log-folder.ts';
import { verifyEvidence } from '../../../src/incident/evidence/verify-evidence.ts';
import { glacis } from '../../end-to-end/cli.ts';
import { clients, figures, find, signedUpTo } from './impact-form.ts';
import { keepPicture, LOOKS } from './looks.ts';
import { dialog, field } from './measure-form.ts';
import { doubtful, onRealGateway } from './on-real-gateway.ts';
import { hasChromium } from './open-browser.ts';
import type { Person } from './sign-in.ts';

/** Questions of one client, all to the version in service, and of another, some of them to the version before. */
const OF_A = 24;
const OF_B = 5;
const OF_B_BEFORE = 3;
/** Places of a bundle at which a byte is changed. */
const FORGED = 64;

describe.skipIf(!hasChromium)('what was affected, on a real gateway (needs /usr/bin/chromium)', () => {
  const on = onRealGateway(async () => {
    const { model, hardened } = await bundledExample();
    const check = { asGiven: true };
    return () => ({
      ...{ listen: { port: 0 }, management: { port: 0 } },
      log: { publishEvery: '1 second', payloads: { keep: 'input' } },
      incidents: { respond: { mode: 'off' } },
      models: {
        signs: { versions: { 1: { file: hardened, check }, 2: { file: model, check } }, use: '2' },
      },
    });
  });
  let ann: Person;
  /** How many answers to the first client the version before gives otherwise. */
  let otherwise = 0;

  beforeAll(async () => {
    const [a, b, judge] = await Promise.all(
      ['fleet-a', 'fleet-b', 'judge'].map(async (who) => (await on.keyed(who)).text),
    );
    const likeliest = async (key: string, i: number, version?: string): Promise<number> => {
      const answer = await on.ask(key, doubtful(i), version === undefined ? {} : { version });
      expect(answer).toMatchObject({ status: 200, version: version ?? '2' });
      return answer.scores.indexOf(Math.max(...answer.scores));
    };
    for (let i = 0; i < OF_A; i++)
      if ((await likeliest(a!, i)) !== (await likeliest(judge!, i, '1'))) otherwise++;
    for (let i = 0; i < OF_B; i++) await likeliest(b!, i, i < OF_B_BEFORE ? '1' : undefined);
    await signedUpTo(on, 'fleet-b', OF_B);
    ann = await on.signIn('ann');
  });

  /** What a link of the page downloads. */
  const download = async (page: Page, name: RegExp): Promise<string> => {
    const coming = page.waitForEvent('download');
    await page.getByRole('link', { name }).click();
    const file = join(on.folder, (await coming).suggestedFilename());
    await (await coming).saveAs(file);
    return file;
  };
  /** Checks a bundle with the program, without the gateway; then with one byte changed, at many places. */
  const checkOffline = async (file: string): Promise<string> => {
    const trust = on.gateway.trustFile;
    const good = await glacis(['incident', 'verify', file, '--trust', trust]);
    expect(good.code, good.stdout + good.stderr).toBe(0);
    const bytes = await readFile(file);
    const keys = parseTrustFile(await readFile(trust), trust);
    for (let i = 0; i < FORGED; i++) {
      const at = Math.floor((i * bytes.length) / FORGED);
      const forged = Buffer.from(bytes);
      forged[at]! ^= 1;
      expect(verifyEvidence(forged, keys).ok, `byte ${at}`).toBe(false);
      if (i > 0) continue;
      await writeFile(`${file}.forged`, forged);
      const bad = await glacis(['incident', 'verify', `${file}.forged`, '--trust', trust]);
      expect(bad.code).toBe(1);
      expect(bad.stdout).toContain('NOT OK');
    }
    return good.stdout;
  };

  it('is asked in a case that a person opened, which says so', async () => {
    const { page } = ann;
    await ann.open('/cases');
    await page.getByRole('button', { name: 'Open a case' }).click();
    await page.getByLabel(/^What happened/).fill('Fleet A was told odd things');
    await field(page, 'Model').selectOption('signs');
    await page.getByLabel(/^Clients/).fill('fleet-a');
    await dialog(page).getByRole('button', { name: 'Open the case' }).click();
    await page.getByText('A person opened it, about fleet-a on signs').waitFor();
    await page.getByText('Whoever opened it wrote no more than its title.').waitFor();
    await page.getByText('ann opened it by hand.').waitFor();
    await page.getByText('named by whoever opened it').waitFor();
    // Whoever opened it is told so once, not of a new case as well.
    await page.getByText(/^Opened: /).waitFor();
    expect(await page.getByText(/^New case/).count()).toBe(0);
    await page.getByText('none is named', { exact: true }).waitFor();
    expect(await page.getByText('Alarm from').count()).toBe(0);
  });

  it('counts what one client was told, and what a good version would have told otherwise', async () => {
    const { page } = ann;
    await page.getByRole('tab', { name: 'What was affected' }).click();
    // Nothing but the version to replay with: the form begins with whom the case is about.
    await page.getByLabel('Replayed by').selectOption('1');
    await find(page);
    expect(otherwise).toBeGreaterThan(0);
    expect(otherwise).toBeLessThan(OF_A);
    expect(await figures(page)).toMatchObject({
      ...{ affected: String(OF_A), 'would be different': String(otherwise) },
    });
    await page.getByText(`of ${OF_A} replayed`).waitFor();
    expect(await clients(page)).toEqual([`fleet-a${OF_A}${otherwise}`]);
    // Drawn as changed is what would be, and nothing else.
    expect(await page.locator('.answer-changed').count()).toBe(otherwise);
    await keepPicture(page, 'real-impact', LOOKS[0]);
  });

  it('hands over evidence that is good without the gateway, and not with one byte changed', async () => {
    const said = await checkOffline(await download(ann.page, /The evidence, signed/));
    expect(said).toMatch(new RegExp(`events and ${OF_A} decisions are proven`));
  });

  it('counts what one version told, whoever asked', async () => {
    const { page } = ann;
    await page.getByLabel(/^Client /).fill('');
    await page.getByText('By version, tenant, feed, file or data').click();
    await page.getByLabel('Version that answered').selectOption('1');
    await page.getByLabel('Replayed by').selectOption('');
    await find(page);
    expect(await figures(page)).toMatchObject({ affected: String(OF_A + OF_B_BEFORE) });
    expect(await clients(page)).toEqual([`judge${OF_A}`, `fleet-b${OF_B_BEFORE}`]);
    await page.getByLabel(/^Client /).fill('fleet-b');
    await page.getByLabel('Version that answered').selectOption('2');
    await find(page);
    expect(await figures(page)).toMatchObject({ affected: String(OF_B - OF_B_BEFORE) });
    await page.getByLabel('Version that answered').selectOption('');
    await find(page);
    expect(await figures(page)).toMatchObject({ affected: String(OF_B) });
  });

  it('packs the whole case, with every search in it', async () => {
    const { page } = ann;
    await page.getByRole('tab', { name: /^Evidence/ }).click();
    await page.getByRole('button', { name: 'Pack it anew' }).click();
    await page.getByText('Packed: the evidence can be downloaded.').waitFor();
    const said = await checkOffline(await download(page, /Download the evidence/));
    // Each of the four searches has its rows; a call that two of them met is proven once.
    expect(said).toMatch(new RegExp(`events and ${2 * OF_A + OF_B} decisions are proven`));
    expect(ann.complaints).toEqual([]);
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MEASURES, type Measure } from '../../../src/incident/order.ts';
import { keepPicture, LOOKS } from './looks.ts';
import { begin, dialog, field, inForce, lift, press, preview, take } from './measure-form.ts';
import { doubtful, onRealGateway, sign } from './on-real-gateway.ts';
import { hasChromium } from './open-browser.ts';
import {
  type ApproversRegistry,
  calibrateEnergy,
  registryFor,
  serveEveryMeasure,
  TAKES_TWO,
} from './serve-every-measure.ts';
import type { Person } from './sign-in.ts';

/** Pictures that the raised guard looks at: signs, and such of which no model is sure. */
const LOOKED_AT = [...Array(24).keys()].map((i) => (i % 2 === 0 ? sign(i) : doubtful(i)));
/** How many times as strict the guard becomes. */
const TIMES = 4;

/** How one measure is taken, and what shows that it is in force. */
interface Walk {
  /** Fills in what the form asks of it. */
  readonly fill: (page: Page) => Promise<unknown>;
  /** The button that takes it, and how it reads where it is in force. */
  readonly verb: string;
  readonly reads: string;
  /** Service without it. */
  readonly without: () => Promise<void>;
  /** Service under it, of those whom it meets and of others. */
  readonly under: () => Promise<void>;
}

// What a button says is held against requests of programs that know nothing of it.
describe.skipIf(!hasChromium)('measures by hand on a real gateway (needs /usr/bin/chromium)', () => {
  let use = '1';
  let registry: ApproversRegistry;
  const on = onRealGateway(async (folder) => {
    vi.stubEnv('GLACIS_REGISTRY_HOME', join(folder, 'machine'));
    registry = await registryFor(folder);
    await calibrateEnergy(folder);
    const [first, second] = await Promise.all(['1', '2'].map(serveEveryMeasure));
    return () => (use === '1' ? first! : second!);
  });
  const picture = doubtful(0);
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let energies: number[] = [];
  let promoted = 0;
  const keys = new Map<string, string>();
  const ask = (who: string, about: Float32Array, of: Parameters<typeof on.ask>[2] = {}) =>
    on.ask(keys.get(who)!, about, of);
  /** Statuses of so many questions of somebody, one after another. */
  const statuses = async (who: string, n: number, of: Parameters<typeof on.ask>[2] = {}) => {
    const all: number[] = [];
    for (let i = 0; i < n; i++) all.push((await ask(who, picture, of)).status);
    return all;
  };

  beforeAll(async () => {
    for (const who of ['copier', 'reader', 'stranger', 'other'])
      keys.set(who, (await on.keyed(who, { detail: 'logits' })).text);
    // Version 1 becomes the version before.
    use = '2';
    await on.gateway.reload('test');
    ann = await on.signIn('ann');
    bob = await on.signIn('bob');
    eve = await on.signIn('eve');
  });
  afterAll(() => vi.unstubAllEnvs());

  /** Somebody lets the version that is not in service answer some clients, by a page of their own: a refusal is something that a browser complains of. */
  const canary = async (): Promise<void> => {
    await eve.open('/models/signs');
    await eve.page.getByRole('button', { name: 'Canary of 1' }).click();
    await press(eve.page, 'Begin');
  };
  const hearsScores = (scores: readonly number[]) => scores.some((score) => score > 0 && score < 1);
  const likeliest = (scores: readonly number[]) => scores.indexOf(Math.max(...scores));
  const scoresOf = async (model: string, who = 'other') => (await ask(who, picture, { model })).scores;

  const WALKS: Readonly<Record<Measure, Walk>> = {
    throttle: {
      async fill(page) {
        await dialog(page).getByLabel(/^Who/).fill('copier');
        await dialog(page)
          .getByLabel(/^Requests a minute/)
          .fill('2');
      },
      ...{ verb: 'Throttle', reads: 'copier may ask 2 times a minute' },
      async without() {
        expect(await statuses('copier', 4)).toEqual([200, 200, 200, 200]);
      },
      async under() {
        expect(await statuses('copier', 2)).toEqual([200, 200]);
        const refused = await ask('copier', picture);
        expect(refused).toMatchObject({ status: 429, error: 'too many requests', scores: [] });
        expect(refused.retryAfter).toBeGreaterThan(0);
        expect(refused.retryAfter).toBeLessThanOrEqual(30);
        expect(await statuses('other', 4)).toEqual([200, 200, 200, 200]);
      },
    },
    degrade: {
      async fill(page) {
        await dialog(page).getByLabel(/^Who/).fill('reader');
        await dialog(page).getByRole('button', { name: 'The class alone' }).click();
      },
      ...{ verb: 'Degrade', reads: 'reader gets the class alone' },
      async without() {
        expect(hearsScores(await scoresOf('signs', 'reader'))).toBe(true);
      },
      async under() {
        const all = await scoresOf('signs');
        expect(hearsScores(all)).toBe(true);
        const label = all.map((_, i) => (i === likeliest(all) ? 1 : 0));
        expect(await scoresOf('signs', 'reader')).toEqual(label);
      },
    },
    quarantine: {
      fill: (page) => dialog(page).getByLabel(/^Who/).fill('stranger'),
      ...{ verb: 'Quarantine', reads: 'stranger gets no answers' },
      async without() {
        expect(await statuses('stranger', 1)).toEqual([200]);
      },
      async under() {
        const refused = await ask('stranger', picture);
        const nowhere = await ask('other', picture, { model: 'nowhere' });
        expect(refused.status).toBe(404);
        expect(refused).toEqual(nowhere);
        expect(await statuses('stranger', 1, { model: 'second' })).toEqual([404]);
        expect(await statuses('other', 1)).toEqual([200]);
      },
    },
    guard: {
      async fill(page) {
        await field(page, 'For').selectOption('everybody');
        await field(page, 'Model').selectOption('second');
        await field(page, 'Guard').selectOption('energy');
        await field(page, 'Its threshold is').selectOption(String(TIMES));
        await field(page, 'An alarm of it').selectOption('refuse');
      },
      verb: 'Raise the guard',
      reads: `The guard energy is ${TIMES} times as strict, and its alarms refuse the request, for model second`,
      async without() {
        energies = [];
        for (const each of LOOKED_AT) {
          const { status, scores } = await ask('other', each, { model: 'second' });
          expect(status).toBe(200);
          energies.push(-Math.log(scores.reduce((sum, logit) => sum + Math.exp(logit), 0)));
        }
      },
      async under() {
        const { guards } = JSON.parse(await readFile(join(on.folder, 'calibration.json'), 'utf8'));
        const { threshold } = guards.energy.thresholds[0];
        const bound = threshold - (1 - 1 / TIMES) * Math.abs(threshold);
        // There are pictures that pass both thresholds, the old one alone, and none.
        for (const [from, to] of [
          [-Infinity, bound],
          [bound, threshold],
          [threshold, Infinity],
        ])
          expect(energies.filter((energy) => energy > from! && energy <= to!).length).toBeGreaterThan(0);
        for (const [i, each] of LOOKED_AT.entries())
          expect(await ask('other', each, { model: 'second' })).toMatchObject(
            energies[i]! <= bound
              ? { status: 200 }
              : { status: 400, error: 'the inputs are not acceptable', scores: [] },
          );
        expect(await statuses('other', 1)).toEqual([200]);
      },
    },
    verify: {
      async fill(page) {
        await field(page, 'For').selectOption('everybody');
        await field(page, 'Model').selectOption('signs');
      },
      ...{ verb: 'Switch', reads: 'The verifying model answers for model signs' },
      async without() {
        expect(await scoresOf('signs')).not.toEqual(await scoresOf('followed'));
      },
      async under() {
        expect(await scoresOf('signs')).toEqual(await scoresOf('followed'));
      },
    },
    pause: {
      fill: (page) => field(page, 'Model').selectOption('signs'),
      ...{ verb: 'Pause', reads: 'model signs answers nothing' },
      async without() {
        expect(await statuses('other', 1)).toEqual([200]);
      },
      async under() {
        expect(await statuses('other', 1)).toEqual([503]);
        expect(await statuses('copier', 1, { version: '1' })).toEqual([503]);
        expect(await statuses('other', 1, { model: 'second' })).toEqual([200]);
      },
    },
    rollback: {
      fill: (page) => field(page, 'Model').selectOption('signs'),
      ...{ verb: 'Roll back', reads: 'model signs goes back to the version before' },
      async without() {
        const answer = await ask('other', picture);
        expect(answer).toMatchObject({ status: 200, version: '2' });
        expect(answer.scores).not.toEqual(await scoresOf('followed'));
      },
      async under() {
        const network = await scoresOf('followed');
        expect(await ask('other', picture)).toMatchObject({ status: 200, version: '1', scores: network });
        // The one that is out of service answers nobody who names it either.
        expect((await ask('other', picture, { version: '2' })).scores).toEqual(network);
      },
    },
    freeze: {
      fill: async () => {},
      ...{ verb: 'Freeze', reads: 'Nothing in the registry is promoted' },
      async without() {
        expect(await registry.promote('2', `trial-${promoted++}`)).toMatchObject({ code: 0 });
        await canary();
        await eve.page.getByText('The canary has begun.').waitFor();
        await eve.page.getByRole('button', { name: 'End the canary' }).click();
        await press(eve.page, 'End it');
        await eve.page.getByText('The canary has ended.').waitFor();
      },
      async under() {
        const refused = await registry.promote('2', 'production');
        expect(refused.code).toBe(2);
        expect(refused.stderr).toMatch(/frozen since .* by gateway: drill of freeze/);
        await canary();
        await eve.page
          .getByRole('alert')
          .getByText(/nothing is promoted \(order O-[0-9a-f]{16}: drill of freeze\)/)
          .waitFor();
        expect(await statuses('other', 1, { model: 'followed' })).toEqual([200]);
      },
    },
  };

  /** What one person asked for waits: in its case the second one agrees, who is offered it as the first one is not. */
  const agree = async (): Promise<void> => {
    const said = ann.page.getByText(/^Asked: it waits for a second person, in the case C-/);
    await said.waitFor();
    const [id] = /C-\d{4}-\d{4}/.exec((await said.textContent())!)!;
    await ann.open(`/cases/${id}`);
    await ann.page.getByRole('button', { name: 'Take back' }).waitFor();
    expect(await ann.page.getByRole('button', { name: 'Agree' }).count()).toBe(0);
    await bob.open(`/cases/${id}`);
    await bob.page.getByRole('button', { name: 'Agree' }).click();
    await press(bob.page, 'Agree');
    await bob.page.getByText('Agreed: it is done.').waitFor();
    await ann.open('/cases');
  };

  it.each(MEASURES)(
    '%s does what its preview says, and nothing is left of it when it is lifted',
    async (measure) => {
      const walk = WALKS[measure];
      const { page } = ann!;
      await walk.without();
      await ann.open('/cases');
      await begin(page, measure);
      await walk.fill(page);
      await dialog(page).getByLabel(/^Why/).fill(`drill of ${measure}`);
      await preview(page);
      await dialog(page).getByRole('heading', { name: 'What it will do' }).waitFor();
      expect(await dialog(page).locator('.happened').textContent()).toBe(walk.reads);
      expect(await dialog(page).getByRole('alert').count()).toBe(0);
      await keepPicture(page, `real-measure-${measure}`, LOOKS[0]);
      if (TAKES_TWO.measures.includes(measure)) {
        await dialog(page).getByText('must agree before it happens').waitFor();
        await press(page, 'Ask for it');
        await walk.without();
        await agree();
      } else await take(page, walk.verb);
      await inForce(page, walk.reads).waitFor();
      await walk.under();
      await lift(page, walk.reads);
      if (TAKES_TWO.lift.includes(measure)) {
        await walk.under();
        await agree();
      } else await page.getByText('Lifted.', { exact: true }).waitFor();
      await inForce(page, walk.reads).waitFor({ state: 'detached' });
      await walk.without();
      expect([...ann.complaints, ...bob.complaints]).toEqual([]);
    },
  );

  it('says beforehand whose calls of the last day a measure would have met, and how many', async () => {
    const { page } = ann!;
    keys.set('seen', (await on.keyed('seen')).text);
    await statuses('seen', 3);
    await ann.open('/cases');
    await begin(page, 'throttle');
    await dialog(page).getByLabel(/^Who/).fill('seen');
    await dialog(page).getByLabel(/^Why/).fill('drill');
    const words = async (): Promise<string> => {
      await preview(page);
      const facts = dialog(page).locator('.facts');
      const said = (await facts.textContent())!;
      await press(page, 'Back');
      return said;
    };
    // A call is found when it is in the log.
    await expect.poll(words).toContain('It would have met3 calls of the last 24 hoursOfseen');
    expect(ann.complaints).toEqual([]);
  });

  it.each([
    ['rollback', /rollback: expected a version before 1 of second, got none/],
    ['verify', /expected a second model of second, got none/],
  ] as const)('says why %s cannot be taken where it cannot, and does not offer it', async (measure, why) => {
    const { page } = ann;
    await ann.open('/cases');
    await begin(page, measure);
    if (measure === 'verify') await field(page, 'For').selectOption('everybody');
    await field(page, 'Model').selectOption('second');
    await dialog(page).getByLabel(/^Why/).fill('drill');
    await preview(page);
    await dialog(page).getByRole('alert').getByText(why).waitFor();
    const last = dialog(page).locator('.actions button').last();
    expect(await last.textContent()).toBe(measure === 'verify' ? 'Switch' : 'Ask for it');
    expect(await last.isDisabled()).toBe(true);
    expect(ann.complaints).toEqual([]);
  });

  it('follows the registry again once nothing is frozen', async () => {
    const before = await scoresOf('followed');
    expect(await registry.promote('2', 'production')).toMatchObject({ code: 0 });
    await bob.open('/models/followed');
    await bob.page.getByRole('button', { name: 'Check again' }).click();
    await bob.page.getByText('Asked registries').waitFor();
    const after = await scoresOf('followed');
    expect(after).not.toEqual(before);
    expect(after).toEqual(await scoresOf('signs'));
    expect([...ann.complaints, ...bob.complaints]).toEqual([]);
    // Nothing but the canaries that were refused: before the freeze was lifted, and while that waited.
    const refused = expect.stringMatching(/^Failed to load resource: .* status of 409/);
    expect(eve.complaints).toEqual([refused, refused]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import type { Event } from '../decision.ts';
import { guardedInput } from '../guarded-call.ts';
import type { Scores } from '../output-guard.ts';
import { modelFixture } from '../pipeline.fixture.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import type { ServedModel } from '../served-model.ts';
import type { Verified } from '../stages.ts';
import { verificationThresholds } from './calibration.ts';
import { type Measure, verifySchema } from './config-schema.ts';
import { divergences } from './divergence.ts';
import type { ReviewQueue, Reviews } from './reviews.ts';
import { openReviews } from './store-reviews.ts';
import { calibrateThreshold } from './threshold.ts';
import { openVerifier } from './verifier.ts';

const probabilities = (...values: readonly number[]): Scores => ({
  values: Float32Array.from(values),
  n: 1,
  classes: values.length,
  gives: 'probabilities',
});

describe('divergence', () => {
  const one = (measure: Measure, a: Scores, b: Scores) => divergences(measure, a, b)[0]!;

  it('by label, by the largest difference, in bits', () => {
    const [a, b] = [probabilities(0.9, 0.1), probabilities(0.4, 0.6)];
    expect(one('label', a, b)).toBe(1);
    expect(one('score', a, b)).toBeCloseTo(0.5, 6);
    // ½ [0.9 log₂(0.9/0.65) + 0.1 log₂(0.1/0.35) + 0.4 log₂(0.4/0.65) + 0.6 log₂(0.6/0.35)]
    expect(one('jensen-shannon', a, b)).toBeCloseTo(0.2141, 3);
    expect(one('jensen-shannon', probabilities(1, 0), probabilities(0, 1))).toBe(1);
  });

  it('is from 0 to 1, 0 for the same and the same both ways', () => {
    const row = fc
      .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 })
      .map((raw) => {
        const sum = raw.reduce((a, b) => a + b, 0);
        return probabilities(...raw.map((value) => value / sum));
      });
    fc.assert(
      fc.property(row, row, fc.constantFrom<Measure>('label', 'score', 'jensen-shannon'), (a, b, measure) => {
        const there = one(measure, a, b);
        expect(there).toBeGreaterThanOrEqual(0);
        expect(there).toBeLessThanOrEqual(1);
        expect(one(measure, b, a)).toBeCloseTo(there, 12);
        expect(one(measure, a, a)).toBe(0);
      }),
    );
  });

  it('compares logits with probabilities', () => {
    const logits: Scores = { ...probabilities(Math.log(0.7), Math.log(0.3)), gives: 'logits' };
    expect(one('score', logits, probabilities(0.7, 0.3))).toBeCloseTo(0, 6);
  });

  it('of what cannot be compared is an error', () => {
    expect(() => one('label', probabilities(1, 0), probabilities(1, 0, 0))).toThrow('1 × 2 scores');
    expect(() => one('label', probabilities(1, 0), probabilities(Number.NaN, 0))).toThrow('finite');
  });
});

describe('a calibrated threshold', () => {
  it('leaves at most the rate above it', () => {
    const n = 999;
    const values = Float64Array.from({ length: n }, (_, i) => ((i * 7919) % n) / n);
    const { threshold, rate, interval } = calibrateThreshold(values, 0.01);
    expect(values.filter((value) => value > threshold)).toHaveLength(9);
    expect(rate).toBeCloseTo(9 / 999, 9);
    expect(interval[0]).toBeLessThan(rate);
    expect(interval[1]).toBeGreaterThan(0.01);
  });

  it('refuses a rate that so few samples cannot show', () => {
    expect(() => calibrateThreshold(new Float64Array(98), 0.01)).toThrow('at least 99 samples');
    expect(calibrateThreshold(new Float64Array(99), 0.01).threshold).toBe(0);
    expect(() => calibrateThreshold(new Float64Array(9), 1)).toThrow('between 0 and 1');
    expect(() => calibrateThreshold(new Float64Array(99).fill(Number.NaN), 0.1)).toThrow('finite');
  });
});

describe('thresholds of all measures', () => {
  /** Pairs of answers that differ by `gap(i)` in the first class. */
  const both = (n: number, gap: (i: number) => number) => {
    const scores = (value: (i: number) => number): Scores => ({
      values: Float32Array.from({ length: 2 * n }, (_, i) => {
        const first = value(Math.floor(i / 2));
        return i % 2 === 0 ? first : 1 - first;
      }),
      n,
      classes: 2,
      gives: 'probabilities',
    });
    return { first: scores(() => 0.9), second: scores((i) => 0.9 - gap(i)) };
  };

  it('are set on one half and measured on the other', () => {
    const thresholds = verificationThresholds(
      both(4000, (i) => ((i * 7919) % 4001) / 10_000),
      both(100, (i) => (i < 70 ? 0.8 : 0.1)),
      [0.05],
    );
    expect(thresholds.map(({ measure }) => measure)).toEqual(['label', 'jensen-shannon', 'score']);
    const score = thresholds.find(({ measure }) => measure === 'score')!;
    expect(score.threshold).toBeCloseTo(0.38, 2);
    expect(score.heldOut.n).toBe(2000);
    expect(score.heldOut.above / 2000).toBeCloseTo(0.05, 1);
    expect(score.attacked).toMatchObject({ n: 100, above: 70 });
  });

  it('refuse too few samples', () => {
    expect(() =>
      verificationThresholds(
        both(1, () => 0),
        undefined,
        [0.1],
      ),
    ).toThrow('expected samples');
    expect(() =>
      verificationThresholds(
        both(100, () => 0),
        undefined,
        [0.01],
      ),
    ).toThrow('at least 99');
  });
});

let folder: string;
let store: Store;
let events: Event[];
let time: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-reviews-'));
  store = await openStore({ kind: 'sqlite', file: join(folder, 'store.db') });
});
beforeEach(async () => {
  await store.db.deleteFrom('reviews').execute();
  events = [];
  time = 1_700_000_000_000;
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const config = (over: object = {}) => verifySchema.parse({ model: 'second', ...over });
const queue = (over: object = {}, record?: (event: Event) => Promise<unknown>): Reviews & ReviewQueue =>
  openReviews(config({ reviews: over }).reviews, {
    store,
    record: record ?? (async (event) => events.push(event)),
    now: () => time,
  });
const subject = (i: number) => i.toString(16).padStart(32, '0');
const held = (i: number, principal = 'ann') => ({
  id: `decision-${i}`,
  at: time,
  principal,
  tenant: 'acme',
  model: 'm',
  version: '1',
  digest: `sha256:${'0'.repeat(64)}`,
  divergence: 1,
  samples: [{ index: 0, divergence: 1, first: [1, 0.9] as const, second: [2, 0.8] as const }],
  n: 1,
  subject: subject(i),
});

describe('the review queue', () => {
  it('keeps what is held until a person decides, and records who did', async () => {
    const reviews = queue();
    expect(await reviews.add(held(1))).toBe('added');
    const [review] = await reviews.list({ state: 'open' });
    expect(review).toMatchObject({ id: 'decision-1', state: 'open', revision: 0, n: 1, divergence: 1 });
    const decided = await reviews.decide('decision-1', { by: 'olga', verdict: 'release', revision: 0 });
    expect(decided.state).toBe('released');
    expect(await reviews.outcome(subject(1))).toBe('released');
    expect(events).toMatchObject([
      {
        event: 'review-decided',
        by: 'olga',
        about: { review: 'decision-1', verdict: 'release', state: 'released' },
      },
    ]);
    expect(await reviews.list({ state: 'open' })).toEqual([]);
  });

  it('takes the same call once while it waits', async () => {
    const reviews = queue();
    await reviews.add(held(1));
    expect(await reviews.add({ ...held(2), subject: subject(1) })).toBe('there');
    expect(await reviews.list({})).toHaveLength(1);
  });

  it('is bounded, in all and for each principal', async () => {
    const reviews = queue({ most: 3, mostEach: 2 });
    expect(await reviews.add(held(1))).toBe('added');
    expect(await reviews.add(held(2))).toBe('added');
    expect(await reviews.add(held(3))).toBe('full');
    expect(await reviews.add(held(4, 'ben'))).toBe('added');
    expect(await reviews.add(held(5, 'carl'))).toBe('full');
  });

  it('lets one of two decide who look at the same time', async () => {
    const reviews = queue();
    await reviews.add(held(1));
    const outcomes = await Promise.allSettled([
      reviews.decide('decision-1', { by: 'olga', verdict: 'release', revision: 0 }),
      reviews.decide('decision-1', { by: 'piet', verdict: 'refuse', revision: 0 }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = outcomes.find((each) => each.status === 'rejected')!;
    expect(lost.reason).toMatchObject({ code: 'store/conflict' });
    expect((await reviews.find('decision-1'))!.votes).toHaveLength(1);
    // Both are in the log, and which of them lost.
    expect(events.map(({ event }) => event)).toEqual(['review-decided', 'review-decided', 'review-conflict']);
  });

  it('loses no vote where two are given at the same time and neither decides', async () => {
    const reviews = queue({ reviewers: 2 });
    await reviews.add(held(1));
    const outcomes = await Promise.allSettled(
      ['olga', 'piet'].map((by) => reviews.decide('decision-1', { by, verdict: 'release', revision: 0 })),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await reviews.find('decision-1'))!.votes).toHaveLength(1);
  });

  it('refuses a vote on what the person has not seen', async () => {
    const reviews = queue({ reviewers: 2 });
    await reviews.add(held(1));
    await reviews.decide('decision-1', { by: 'olga', verdict: 'comment', comment: 'a 7?', revision: 0 });
    await expect(
      reviews.decide('decision-1', { by: 'piet', verdict: 'release', revision: 0 }),
    ).rejects.toMatchObject({ code: 'store/conflict' });
    expect(events).toHaveLength(1);
  });

  it('needs four eyes to release where the policy says so, and two of one person do not count', async () => {
    const reviews = queue({ reviewers: 2 });
    await reviews.add(held(1));
    const vote = (by: string, revision: number) =>
      reviews.decide('decision-1', { by, verdict: 'release', revision });
    expect((await vote('olga', 0)).state).toBe('open');
    await expect(vote('olga', 1)).rejects.toMatchObject({ code: 'option/invalid' });
    expect(await reviews.outcome(subject(1))).toBeUndefined();
    expect((await vote('piet', 1)).state).toBe('released');
  });

  it('is refused by one, even where two must release', async () => {
    const reviews = queue({ reviewers: 2 });
    await reviews.add(held(1));
    expect((await reviews.decide('decision-1', { by: 'olga', verdict: 'refuse', revision: 0 })).state).toBe(
      'refused',
    );
    expect(await reviews.outcome(subject(1))).toBe('refused');
    await expect(
      reviews.decide('decision-1', { by: 'piet', verdict: 'release', revision: 1 }),
    ).rejects.toMatchObject({ code: 'store/conflict' });
  });

  it('lets nobody decide on their own call', async () => {
    const reviews = queue();
    await reviews.add(held(1));
    await expect(
      reviews.decide('decision-1', { by: 'ann', verdict: 'release', revision: 0 }),
    ).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('changes nothing where the vote cannot be recorded', async () => {
    const reviews = queue({}, async () => {
      throw new Error('disk full');
    });
    await reviews.add(held(1));
    await expect(
      reviews.decide('decision-1', { by: 'olga', verdict: 'release', revision: 0 }),
    ).rejects.toThrow('disk full');
    expect(await reviews.outcome(subject(1))).toBeUndefined();
    expect((await reviews.find('decision-1'))!.state).toBe('open');
  });

  it('forgets: what nobody decides on expires, an outcome counts for as long, then the row goes', async () => {
    const reviews = queue({ hours: 1 });
    await reviews.add(held(1));
    await reviews.add(held(2));
    await reviews.decide('decision-2', { by: 'olga', verdict: 'release', revision: 0 });
    time += 3_600_001;
    expect((await reviews.find('decision-1'))!.state).toBe('expired');
    await expect(
      reviews.decide('decision-1', { by: 'olga', verdict: 'release', revision: 0 }),
    ).rejects.toMatchObject({ code: 'store/conflict' });
    expect(await reviews.outcome(subject(2))).toBeUndefined();
    expect(await reviews.list({ state: 'expired' })).toHaveLength(1);
    time += 3_600_001;
    expect(await reviews.list({})).toEqual([]);
  });

  it('refuses comments that say nothing or too much, and reviews that are not there', async () => {
    const reviews = queue();
    await reviews.add(held(1));
    for (const comment of [undefined, '  ', 'x'.repeat(2001)])
      await expect(
        reviews.decide('decision-1', { by: 'olga', verdict: 'comment', comment, revision: 0 }),
      ).rejects.toMatchObject({ code: 'option/invalid' });
    await expect(
      reviews.decide("' OR 1=1 --", { by: 'olga', verdict: 'refuse', revision: 0 }),
    ).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('lists by model, principal and time, page by page', async () => {
    const reviews = queue();
    for (let i = 0; i < 5; i++) {
      time += 10;
      await reviews.add(held(i, i % 2 ? 'ben' : 'ann'));
    }
    const page = await reviews.list({ most: 2 });
    expect(page.map(({ id }) => id)).toEqual(['decision-4', 'decision-3']);
    expect((await reviews.list({ most: 2, before: page[1]!.at })).map(({ id }) => id)).toEqual([
      'decision-2',
      'decision-1',
    ]);
    expect(await reviews.list({ principal: 'ben' })).toHaveLength(2);
    expect(await reviews.list({ model: 'other' })).toEqual([]);
  });
});

describe('the verifier', () => {
  const ann: Principal = { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] };
  const callOf = (values: readonly number[], principal = ann) =>
    guardedInput({
      model: modelFixture(),
      principal,
      address: '192.0.2.7',
      n: values.length / 3,
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [values.length / 3, 3], data: Float32Array.from(values) },
      ],
      parameters: {},
      now: 0,
    });
  /** Says the opposite of the first model where the second feature is above 0. */
  const second = modelFixture({
    name: 'second',
    run: async ([input], { n }) => {
      const x = input!.data as Float32Array;
      const data = Float32Array.from({ length: 2 * n }, (_, i) => {
        const row = Math.floor(i / 2);
        const score = x[3 * row + 1]! > 0 ? -x[3 * row]! : x[3 * row]!;
        return i % 2 === 0 ? score : -score;
      });
      return { outputs: [{ name: 'y', datatype: 'FP32', shape: [n, 2], data }] };
    },
  });
  const down: ServedModel = {
    ...second,
    run: async () => {
      throw new Refused('unavailable', 'gone');
    },
  };
  const failures: string[] = [];
  const open = (over: object = {}, with_: { second?: ServedModel; reviews?: ReviewQueue } = {}) =>
    openVerifier(config(over), {
      first: modelFixture(),
      second: with_.second ?? second,
      secret: new Uint8Array(32).fill(9),
      reviews: with_.reviews ?? queue(),
      failed: (where) => failures.push(where),
      now: () => time,
    });
  const check = async (
    verifier: ReturnType<typeof open>,
    values: readonly number[],
    { id = 'd1', principal = ann }: { readonly id?: string; readonly principal?: Principal } = {},
  ): Promise<Verified | undefined> => {
    const call = callOf(values, principal);
    const answer = await modelFixture().run(call.inputs, {
      n: call.n,
      signal: new AbortController().signal,
      features: false,
    });
    return verifier.check(call, answer, id);
  };
  const AGREE = [2, -1, 0];
  const DIVERGE = [2, 1, 0];

  it('passes where both agree, and says how far they are apart', async () => {
    expect(await check(open(), AGREE)).toEqual({ divergence: 0, action: 'pass' });
  });

  it('flags, or refuses, as the policy says; of a batch the worst counts', async () => {
    const both = [...AGREE, ...DIVERGE];
    expect(await check(open({ action: 'flag' }), both)).toEqual({ divergence: 1, action: 'flag' });
    await expect(check(open({ action: 'refuse' }), both)).rejects.toMatchObject({ refusal: 'unacceptable' });
  });

  it('holds until a person decides; then the same call passes, for this principal and these inputs alone', async () => {
    const reviews = queue();
    const verifier = open({}, { reviews });
    await expect(check(verifier, DIVERGE)).rejects.toMatchObject({ refusal: 'held', divergence: 1 });
    await expect(check(verifier, DIVERGE, { id: 'd2' })).rejects.toMatchObject({ refusal: 'held' });
    expect(await reviews.list({ state: 'open' })).toHaveLength(1);
    await reviews.decide('d1', { by: 'olga', verdict: 'release', revision: 0 });
    expect(await check(verifier, DIVERGE, { id: 'd3' })).toEqual({ divergence: 1, action: 'pass' });
    await expect(
      check(verifier, DIVERGE, { id: 'd4', principal: { ...ann, id: 'ben' } }),
    ).rejects.toMatchObject({ refusal: 'held' });
    await expect(check(verifier, [2, 1.0001, 0], { id: 'd5' })).rejects.toMatchObject({ refusal: 'held' });
  });

  it('refuses for good what a person has refused', async () => {
    const reviews = queue();
    const verifier = open({}, { reviews });
    await expect(check(verifier, DIVERGE)).rejects.toMatchObject({ refusal: 'held' });
    await reviews.decide('d1', { by: 'olga', verdict: 'refuse', revision: 0 });
    await expect(check(verifier, DIVERGE, { id: 'd2' })).rejects.toMatchObject({ refusal: 'unacceptable' });
  });

  it('shows the reviewer what both said, the worst first, and no input', async () => {
    const reviews = queue();
    await expect(check(open({}, { reviews }), [...AGREE, ...DIVERGE])).rejects.toMatchObject({
      refusal: 'held',
    });
    const [review] = await reviews.list({});
    expect(review!.samples.map(({ index }) => index)).toEqual([1, 0]);
    expect(review!.samples[0]).toMatchObject({ first: [0, 0.982], second: [1, 0.982] });
  });

  it('turns away as unavailable when the queue is full or gone', async () => {
    const full = queue({ most: 1 });
    await full.add(held(7));
    await expect(check(open({}, { reviews: full }), DIVERGE)).rejects.toMatchObject({
      refusal: 'unavailable',
    });
    const gone: ReviewQueue = {
      add: async () => 'added',
      outcome: async () => {
        throw new Error('store gone');
      },
    };
    await expect(check(open({}, { reviews: gone }), DIVERGE)).rejects.toMatchObject({
      refusal: 'unavailable',
    });
  });

  it('closes while the second model is down, for hold and refuse; for flag it passes and says so', async () => {
    for (const action of ['hold', 'refuse'])
      await expect(check(open({ action }, { second: down }), AGREE)).rejects.toMatchObject({
        refusal: 'unavailable',
      });
    failures.length = 0;
    expect(await check(open({ action: 'flag' }, { second: down }), AGREE)).toBeUndefined();
    expect(failures).toEqual(['verify']);
    expect(await check(open({ action: 'hold', down: 'pass' }, { second: down }), AGREE)).toBeUndefined();
    await expect(check(open({ action: 'flag', down: 'refuse' }, { second: down }), AGREE)).rejects.toThrow(
      Refused,
    );
  });

  it.each([
    ['hangs', async () => new Promise<never>(() => {})],
    ['gives nothing', async () => ({ outputs: [] })],
    [
      'gives NaN',
      async () => ({
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(Number.NaN, 0) }],
      }),
    ],
  ] as const)('counts a second model that %s as down', async (_, run) => {
    const broken = { ...second, run } as unknown as ServedModel;
    await expect(check(open({ timeout: 20 }, { second: broken }), AGREE)).rejects.toMatchObject({
      refusal: 'unavailable',
    });
  });

  it('draws its share by a key: the same decision always, another key otherwise', async () => {
    const drawn = (secret: number, share: number) => {
      const verifier = openVerifier(config({ share, action: 'flag' }), {
        first: modelFixture(),
        second,
        secret: new Uint8Array(32).fill(secret),
        failed: () => {},
        now: () => time,
      });
      const call = callOf(AGREE);
      const outputs = [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(2, -2) }] as const;
      return Array.from({ length: 2000 }, (_, i) => verifier.check(call, { outputs }, `${i}`) !== undefined);
    };
    const [some, again, other] = [drawn(1, 0.1), drawn(1, 0.1), drawn(2, 0.1)];
    expect(some).toEqual(again);
    expect(some).not.toEqual(other);
    // 200 of 2,000 expected; four standard deviations are 54.
    expect(Math.abs(some.filter(Boolean).length - 200)).toBeLessThan(54);
    expect(drawn(1, 0)).not.toContain(true);
    expect(drawn(1, 1)).not.toContain(false);
  });

  it('asks the second model while the first one works, once, and only about decisions that are drawn', async () => {
    const asked: number[] = [];
    const counting: ServedModel = {
      ...second,
      run: async (inputs, options) => {
        asked.push(options.n);
        return second.run(inputs, options);
      },
    };
    const verifier = open({ action: 'flag' }, { second: counting });
    const call = callOf(DIVERGE);
    verifier.begin!(call, 'd1');
    expect(asked).toEqual([1]);
    const outputs = [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(2, -2) }] as const;
    expect(await verifier.check(call, { outputs }, 'd1')).toEqual({ divergence: 1, action: 'flag' });
    expect(asked).toEqual([1]);
    open({ share: 0, action: 'flag' }, { second: counting }).begin!(call, 'd1');
    expect(asked).toEqual([1]);
    // Nobody waits for what is begun and never checked.
    open({}, { second: down }).begin!(call, 'd1');
  });

  it('refuses models that do not suit each other, and hold without a queue', () => {
    const { classifier: _, ...none } = second;
    expect(() => open({}, { second: none })).toThrow('which is none');
    const three = { ...second, classifier: { ...second.classifier!, classes: 3 } };
    expect(() => open({}, { second: three })).toThrow('2 classes');
    const larger = { ...second, classifier: { ...second.classifier!, sampleDims: [4] } };
    expect(() => open({}, { second: larger })).toThrow('3 elements');
    expect(() =>
      openVerifier(config(), {
        first: modelFixture(),
        second,
        secret: new Uint8Array(32),
        failed: () => {},
        now: () => time,
      }),
    ).toThrow('a store');
  });
});

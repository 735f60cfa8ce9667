import { describe, expect, it } from 'vitest';
import { START } from '../incident.fixture.ts';
import { decisionOf, memoryPast } from '../past.fixture.ts';
import type { PastDecision } from '../past.ts';
import { runWhatIf } from './run-what-if.ts';
import type { WhatIfChange } from './what-if.ts';

const DAY = 86_400_000;
const signal = new AbortController().signal;
const run = (all: readonly PastDecision[], change: WhatIfChange, scope = {}) =>
  runWhatIf('a', scope, change, {
    past: memoryPast(all, 7),
    signal,
    now: () => START,
  });
const pairs = ({ changed }: Awaited<ReturnType<typeof run>>) =>
  Object.fromEntries(changed.map(({ from, to, calls, samples }) => [`${from} > ${to}`, [calls, samples]]));

describe('another guard', () => {
  const said = (score: number | null, action: string, over: Partial<PastDecision> = {}) => ({
    guards: [{ guard: 'energy', action, score }],
    ...over,
  });
  const change = { kind: 'guard', guard: 'energy', threshold: 5, action: 'refuse' } as const;

  it('is judged by the scores that the decisions hold', async () => {
    const all = [
      decisionOf(0, said(4, 'pass')),
      decisionOf(1, said(6, 'pass', { n: 3, principal: 'mallory' })),
      decisionOf(2, said(6, 'flag')),
      decisionOf(3, said(7, 'refuse', { outcome: 'unacceptable' })),
      decisionOf(4, said(null, 'flag')),
      decisionOf(5, { guards: [] }),
      decisionOf(6, { guards: [{ guard: 'other', action: 'refuse', score: 1 }], outcome: 'unacceptable' }),
    ];
    const done = await run(all, change);
    expect(done).toMatchObject({ state: 'done', looked: 5, progress: [7, 7] });
    expect(pairs(done)).toEqual({ 'answered > unacceptable': [1, 3], 'flagged > unacceptable': [2, 2] });
    expect(done.principals).toEqual([
      { principal: 'ann', calls: 4, changed: 2, inCases: false },
      { principal: 'mallory', calls: 1, changed: 1, inCases: false },
    ]);
    expect(done.days).toEqual([[Math.floor(START / DAY) * DAY, 3]]);
    expect(done.caveats!.join()).toMatch(/1 calls had a score that is no number/);
  });

  it('frees what it alone refused, and says that guards after it were not asked', async () => {
    const all = [
      decisionOf(0, said(3, 'refuse', { outcome: 'unacceptable' })),
      decisionOf(1, {
        guards: [
          { guard: 'squeezing', action: 'degrade', score: 1 },
          { guard: 'energy', action: 'refuse', score: 4 },
        ],
        outcome: 'unacceptable',
      }),
      decisionOf(2, { guards: [{ guard: 'energy', action: 'pass', score: 0 }], outcome: 'held' }),
    ];
    const done = await run(all, change);
    expect(pairs(done)).toEqual({ 'unacceptable > answered': [1, 1], 'unacceptable > degraded': [1, 1] });
    expect(done.caveats!.join()).toMatch(/2 calls count as answered that this guard refused/);
    expect(pairs(await run(all, { ...change, threshold: -1 }))).toEqual({});
  });

  it('says of a guard that was not on that nothing can be said, and how to learn it', async () => {
    const silent = [
      decisionOf(0, { guards: [] }),
      decisionOf(1, { guards: [{ guard: 'other', action: 'refuse', score: 1 }], outcome: 'unacceptable' }),
      decisionOf(2, { outcome: 'throttled', guards: [] }),
    ];
    const none = await run(silent, change);
    expect(none).toMatchObject({ looked: 0, unseen: 2, changed: [] });
    expect(none.caveats![0]).toMatch(/Nothing can be said of 2 calls: energy .* "action: flag"/);
    // It came on in the middle.
    const some = await run([...silent, decisionOf(3, said(6, 'pass'))], change);
    expect(some).toMatchObject({ looked: 1, unseen: 2 });
    expect(pairs(some)).toEqual({ 'answered > unacceptable': [1, 1] });
    const all = await run([decisionOf(0, said(6, 'pass'))], change);
    expect(all.unseen).toBe(0);
    expect(all.caveats!.join()).not.toMatch(/Nothing can be said/);
  });
});

describe('another budget', () => {
  const calls = (n: number, every: number, over: Partial<PastDecision> = {}) =>
    Array.from({ length: n }, (_, i) => decisionOf(i, { at: START + i * every, ...over }));
  const change = { kind: 'budget', per: 'principal', queries: 10, window: 28 * DAY } as const;

  it('refuses what is beyond it, a batch of n as n, and lets again through what has left the window', async () => {
    expect(pairs(await run(calls(25, 1000), change))).toEqual({ 'answered > exhausted': [15, 15] });
    expect(pairs(await run(calls(5, 1000, { n: 4 }), change))).toEqual({ 'answered > exhausted': [3, 12] });
    // One a day: ten are answered; each counts for 28 days and its own, so that the next ten come from day 29 on, and two from day 58.
    const daily = await run(calls(60, DAY), change);
    expect(pairs(daily)).toEqual({ 'answered > exhausted': [38, 38] });
  });

  it('never allows more than it has in any window, whatever the times', async () => {
    const all = Array.from({ length: 400 }, (_, i) =>
      decisionOf(i, { at: START + ((i * 7919) % 100) * DAY * 0.7, principal: 'p' }),
    ).sort((a, b) => a.at - b.at);
    const done = await run(all, change);
    const refused = done.changed[0]!.calls;
    const span = (all.at(-1)!.at - all[0]!.at) / (28 * DAY);
    expect(400 - refused).toBeLessThanOrEqual(10 * (Math.ceil(span) + 1));
    expect(400 - refused).toBeGreaterThan(10);
  });

  it('counts by tenant or model, not calls that never came so far, and frees what was refused', async () => {
    const two = [...calls(8, 1), ...calls(8, 1, { principal: 'bob' })];
    expect(pairs(await run(two, change))).toEqual({});
    expect(pairs(await run(two, { ...change, per: 'tenant' }))).toEqual({ 'answered > exhausted': [6, 6] });
    expect(pairs(await run(two, { ...change, per: 'model' }))).toEqual({ 'answered > exhausted': [6, 6] });
    const throttled = calls(50, 1, { outcome: 'throttled' });
    expect(await run(throttled, change)).toMatchObject({ looked: 0, changed: [] });
    const freed = await run(calls(3, 1, { outcome: 'exhausted' }), change);
    expect(pairs(freed)).toEqual({ 'exhausted > answered': [3, 3] });
    expect(pairs(await run([decisionOf(0, { principal: undefined })], change))).toEqual({});
  });
});

describe('another rate', () => {
  const change = { kind: 'rate', per: 'principal', requests: 5, every: 1000 } as const;
  it('lets a burst through and then so many in each span', async () => {
    const burst = Array.from({ length: 20 }, (_, i) => decisionOf(i, { at: START }));
    expect(pairs(await run(burst, change))).toEqual({ 'answered > throttled': [15, 15] });
    const steady = Array.from({ length: 50 }, (_, i) => decisionOf(i, { at: START + i * 200 }));
    expect(pairs(await run(steady, change))).toEqual({});
    const late = [...steady, ...steady.map((each) => ({ ...each, at: START - DAY }))];
    expect((await run(late, change)).changed[0]!.calls).toBeGreaterThan(40);
  });
  it('counts samples, of one or of everybody, and what could never pass is too large', async () => {
    const two = Array.from({ length: 6 }, (_, i) =>
      decisionOf(i, { at: START, n: 2, principal: i % 2 === 0 ? 'ann' : 'bob' }),
    );
    const samples = { kind: 'rate', per: 'principal', samples: 5, every: 1000 } as const;
    expect(pairs(await run(two, samples))).toEqual({ 'answered > throttled': [2, 4] });
    expect(pairs(await run(two, { ...samples, per: 'all' }))).toEqual({ 'answered > throttled': [4, 8] });
    const large = [decisionOf(0, { n: 6 }), decisionOf(1, { n: 5 })];
    expect(pairs(await run(large, samples))).toEqual({ 'answered > too-large': [1, 6] });
  });
  it('frees what was throttled, and says what it cannot know', async () => {
    const done = await run([decisionOf(0, { outcome: 'throttled' })], { ...change, per: 'address' });
    expect(pairs(done)).toEqual({ 'throttled > answered': [1, 1] });
    expect(done.caveats!.join()).toMatch(/IPv6.*some rate refused/);
  });
});

describe('a replay of the past', () => {
  it('keeps to its scope, and refuses numbers that make no sense', async () => {
    const all = Array.from({ length: 30 }, (_, i) =>
      decisionOf(i, { model: i % 2 === 0 ? 'signs' : 'digits', at: START + i }),
    );
    const change = { kind: 'rate', per: 'principal', requests: 1, every: 10_000 } as const;
    const done = await run(all, change, { model: 'digits', from: START + 10, to: START + 19 });
    expect(done).toMatchObject({ looked: 5, changed: [{ calls: 4 }] });
    for (const wrong of [
      { ...change, requests: 0 },
      { ...change, samples: 3 },
      { ...change, requests: undefined },
      { ...change, every: Number.NaN },
      { kind: 'budget', per: 'tenant', queries: -1, window: 1 },
      { kind: 'guard', guard: 'x', threshold: Number.NaN, action: 'flag' },
    ] as const)
      await expect(run(all, wrong)).rejects.toMatchObject({ code: 'option/invalid' });
  });

  it('holds its memory however many callers there are, and can be stopped', async () => {
    const size = 250_000;
    const past = {
      page: async (_scope: object, cursor: number) => ({
        decisions: Array.from({ length: 5000 }, (_, i) =>
          decisionOf(cursor + i, { principal: `p${cursor + i}` }),
        ),
        looked: 5000,
        cursor: cursor + 5000,
        of: size,
        isEnd: cursor + 5000 >= size,
      }),
      find: async () => [],
    };
    const change = { kind: 'rate', per: 'principal', requests: 1, every: 1e9 } as const;
    const stop = new AbortController();
    let time = START;
    const done = await runWhatIf('a', {}, change, {
      past,
      signal: stop.signal,
      now: () => START,
    });
    expect(done).toMatchObject({ looked: size, changed: [], principals: [] });
    expect(done.caveats!.join()).toMatch(/50000 that were idle the longest/);
    const stopped = runWhatIf('a', {}, change, {
      ...{ past, signal: stop.signal, now: () => (time += 1000) },
      stepped: () => stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'run/cancelled' });
  });
});

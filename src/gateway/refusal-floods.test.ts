import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Decision } from './decision.ts';
import { questionFixture, stagesFixture } from './pipeline.fixture.ts';
import { openPipeline } from './pipeline.ts';
import { openRefusalFloods } from './refusal-floods.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const decision = (i: number, over: Partial<Decision> = {}): Decision => ({
  ...{ kind: 'decision', id: i.toString(16).padStart(32, '0'), at: 1000 + i },
  ...{ principal: 'ann', tenant: 'acme', credential: 'k1', address: '192.0.2.7', model: 'm' },
  ...{ version: undefined, digest: undefined, n: 2, outcome: 'throttled', guards: [], bucket: 1 },
  ...over,
});
const open = (broken?: string) => {
  const written: Decision[] = [];
  const failures: unknown[] = [];
  const recorder = {
    broken,
    record: async (entry: unknown) => written.push(entry as Decision) - 1,
  };
  const floods = openRefusalFloods({
    recorder,
    clock: () => Date.now(),
    failed: (_, thrown) => failures.push(thrown),
  });
  return { floods, written, failures };
};

it('the first of a minute are entries; those beyond are one, which says how many and which', async () => {
  const { floods, written } = open();
  const taken = Array.from({ length: 120 }, (_, i) => floods.takes(decision(i)));
  expect(taken.indexOf(true)).toBe(20);
  expect(taken.slice(20)).not.toContain(false);
  expect(written).toEqual([]);
  await vi.advanceTimersByTimeAsync(80_000);
  const ids = createHash('sha256');
  for (let i = 20; i < 120; i++) ids.update(decision(i).id, 'hex');
  const gathered = { count: 100, samples: 200, since: 1020, ids: ids.digest('hex') };
  expect(written).toEqual([decision(119, { gathered })]);
  expect(floods.takes(decision(120))).toBe(false);
  await floods.close();
  expect(written).toHaveLength(1);
});

it('callers and kinds are told apart; an address is a caller where nobody is known', async () => {
  const { floods, written } = open();
  const flood = (over: Partial<Decision>) => {
    for (let i = 0; i < 25; i++) floods.takes(decision(i, over));
  };
  flood({});
  flood({ outcome: 'exhausted' });
  flood({ principal: 'bob' });
  flood({ principal: undefined, address: '2001:db8::1' });
  flood({ principal: undefined, address: '2001:db8::2' });
  await floods.close();
  expect(written.map(({ gathered }) => gathered?.count)).toEqual([5, 5, 5, 30]);
});

it('what costs its caller something, or cannot be written, is never gathered', () => {
  for (const outcome of ['answered', 'malformed', 'unacceptable', 'held', 'unauthenticated'] as const) {
    const { floods } = open();
    for (let i = 0; i < 50; i++) expect(floods.takes(decision(i, { outcome }))).toBe(false);
  }
  const { floods } = open('the disk is full');
  for (let i = 0; i < 50; i++) expect(floods.takes(decision(i))).toBe(false);
});

it('a caller who is gathered gets the refusal of the others, without a receipt', async () => {
  const stages = stagesFixture({ rates: { take: () => 3 }, floods: { takes: () => true } });
  const reply = await openPipeline(stages).infer(questionFixture([[1, 2, 3]], { wantsReceipt: true }));
  expect(reply).toMatchObject({ kind: 'refusal', refusal: 'throttled', retryAfter: 3, receipt: undefined });
  expect(stages.written).toEqual([]);
});

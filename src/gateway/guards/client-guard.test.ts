import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineClientDetector } from '../../detect/clients/client-detector.ts';
import { stateFromBytes, stateToBytes } from '../../detect/state-bytes.ts';
import type { GuardedAnswer, GuardedInput, GuardSetting, GuardVerdict } from '../guard.ts';
import { modelFixture } from '../pipeline.fixture.ts';
import { clientGuard, clientOptions } from './client-guard.ts';
import { openHolds } from './holds.ts';
import { GUARDS } from './registry.ts';

/** Evidence of a client is the sum of what it sent. */
const sums = defineClientDetector<{ readonly level: number }>({
  id: 'sums',
  needs: 'features',
  kept: z.strictObject({ level: z.number() }),
  fit: () => ({ level: 1 }),
  open({ level }, _watched, _memory, state) {
    const kept = state ? (stateFromBytes('sums', state).plain as [string, number][]) : [];
    const known = new Map(kept);
    return {
      observe(asker, { x }, i, stream) {
        const sum = (known.get(asker) ?? 0) + (stream ? 0 : x[3 * i]!);
        known.set(asker, sum);
        return { score: sum / level, seen: `sum ${sum}` };
      },
      snapshot: () => stateToBytes({ kind: 'sums', plain: [...known], arrays: {} }),
    };
  },
});

const kind = clientGuard(sums, { about: 'for tests', options: clientOptions('refuse') });
const model = modelFixture({
  classifier: { input: 'x', sampleDims: [3], output: 'y', classes: 2, gives: 'logits', features: 4 },
});
const calibration = {
  watched: { sampleDims: [3], classes: 2, gives: 'logits', features: 4 },
  fit: { level: 1 },
  thresholds: [
    { rate: 0.01, threshold: 2, rank: 99, calm: 100, heldOut: { n: 100, alarms: 0, low: 0, high: 0.1 } },
  ],
};
const setting = (over: Partial<GuardSetting> = {}): GuardSetting => ({
  model,
  calibration,
  ask: async () => new Float32Array(0),
  now: () => 0,
  ...over,
});
const call = (
  values: readonly number[],
  over: Partial<GuardedAnswer> = {},
): GuardedInput & Partial<GuardedAnswer> => ({
  model,
  classifier: model.classifier,
  principal: { id: 'ann', tenant: 'acme', credential: 'k', kind: 'key', roles: [] },
  address: '192.0.2.7',
  n: values.length,
  inputs: [],
  parameters: {},
  floats: () => Float32Array.from(values.flatMap((v) => [v, 0, 0])),
  scores: () => new Float32Array(2 * values.length),
  features: new Float32Array(4 * values.length),
  now: 1000,
  ...over,
});
const who = (id: string, tenant = 'acme', roles: readonly string[] = []) => ({
  principal: { id, tenant, credential: 'k', kind: 'key', roles } as const,
});
const make = (options: object = {}, over: Partial<GuardSetting> = {}) =>
  kind.make(kind.options.parse(options), setting(over));

describe('a guard that watches clients', () => {
  test('passes what is below the threshold, and acts on what is above, with the reason for the log', () => {
    const guard = make();
    expect(guard.judge(call([1, 0.5]))).toEqual({ action: 'pass', score: 0.75 });
    expect(guard.judge(call([1]))).toEqual({ action: 'refuse', score: 1.25, because: 'sum 2.5' });
  });

  test('the worst sample of a request counts', () => {
    expect(make().judge(call([5, -5, 0]))).toMatchObject({ action: 'refuse', because: 'sum 5' });
  });

  test('holds a client after an alarm, for as long as the policy says, and nobody else', () => {
    const guard = make({ action: 'degrade', hold: 60 });
    guard.judge(call([3]));
    expect(guard.judge(call([-9], { now: 60_999 }))).toMatchObject({
      action: 'degrade',
      because: 'held since an earlier alarm',
    });
    expect(guard.judge(call([0], { now: 61_000 }))).toMatchObject({ action: 'pass' });
    expect(guard.judge(call([0], { ...who('bob'), now: 1001 }))).toMatchObject({ action: 'pass' });
  });

  test('counts by tenant where the policy says so', () => {
    const judged = (by: string) => {
      const guard = make({ by });
      guard.judge(call([1.5], who('ann')));
      return guard.judge(call([1.5], who('bob')));
    };
    expect(judged('tenant')).toMatchObject({ action: 'refuse' });
    expect(judged('principal')).toMatchObject({ action: 'pass' });
  });

  test('a tenant and a principal of one name are two', () => {
    const guard = make({ by: 'tenant' });
    guard.judge(call([3], who('x', 'same')));
    const other = make({ by: 'principal' }, { remembered: () => guard.snapshot!() });
    expect(other.judge(call([0], who('same')))).toMatchObject({ action: 'pass' });
  });

  test('roles that are declared as streams are told to the detector', () => {
    const guard = make({ streams: ['camera'] });
    expect(guard.judge(call([9], who('cam', 'acme', ['camera'])))).toMatchObject({ action: 'pass' });
    expect(guard.judge(call([9], who('ann', 'acme', ['person'])))).toMatchObject({ action: 'refuse' });
  });

  test('evidence that is no number is an alarm, and a number in the log', () => {
    const { action, score } = make().judge(call([Number.NaN])) as GuardVerdict;
    expect(action).toBe('refuse');
    expect(Number.isFinite(score) && score > 1e300).toBe(true);
  });

  test.each([
    ['inputs', { floats: () => undefined }],
    ['inputs of another size', { floats: () => new Float32Array(2) }],
    ['scores', { scores: () => undefined }],
    ['scores of another size', { scores: () => new Float32Array(1) }],
    ['features', { features: undefined }],
    ['features of another size', { features: new Float32Array(3) }],
  ])('without %s it refuses', (_, over) => {
    expect(make({ action: 'flag' }).judge(call([0], over))).toMatchObject({ action: 'refuse' });
  });

  test('a restart forgets neither evidence nor who is held', () => {
    const guard = make();
    guard.judge(call([1.5]));
    guard.judge(call([3], who('eve')));
    const bytes = guard.snapshot!();
    const restarted = make({}, { remembered: (name) => (name === 'sums' ? bytes : undefined) });
    expect(restarted.judge(call([1]))).toMatchObject({ action: 'refuse', because: 'sum 2.5' });
    expect(restarted.judge(call([-9], who('eve')))).toMatchObject({ because: 'held since an earlier alarm' });
  });

  test('a memory that cannot be read ends the start: it is not silently forgotten', () => {
    for (const bytes of [new Uint8Array(0), stateToBytes({ kind: 'guard sums', plain: [], arrays: {} })])
      expect(() => make({}, { remembered: () => bytes })).toThrow(
        expect.objectContaining({ code: 'result/invalid' }),
      );
  });

  test.each([
    ['no calibration', { calibration: undefined }],
    [
      'one of a model of other sizes',
      { calibration: { ...calibration, watched: { ...calibration.watched, classes: 3 } } },
    ],
    [
      'one of other features',
      { calibration: { ...calibration, watched: { ...calibration.watched, features: 5 } } },
    ],
    ['one that learnt something else', { calibration: { ...calibration, fit: { other: 1 } } }],
    ['another rate', { calibration: { ...calibration, thresholds: [] } }],
    ['a model that is no classifier', { model: modelFixture({ classifier: undefined }) }],
  ])('with %s it is not made', (_, over) => {
    expect(() => make({}, over)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });

  test('takes the rate that is asked for; 1 % or the lowest without', () => {
    const at = (rates: readonly number[]) => ({
      ...calibration,
      thresholds: rates.map((rate) => ({ ...calibration.thresholds[0], rate, threshold: 100 * rate })),
    });
    const score = (rates: readonly number[], options: object = {}) =>
      (make(options, { calibration: at(rates) }).judge(call([1])) as GuardVerdict).score;
    expect(score([0.02, 0.01])).toBeCloseTo(1, 9);
    expect(score([0.04, 0.02])).toBeCloseTo(0.5, 9);
    expect(score([0.02, 0.01], { falsePositiveRate: 0.02 })).toBeCloseTo(0.5, 9);
  });

  test('three of them are on where the model was calibrated for them', () => {
    const on = Object.fromEntries(GUARDS.map(({ kind: each, on: when }) => [each.name, when]));
    for (const name of ['near-duplicates', 'similar-queries', 'query-shift'])
      expect(on[name]).toBe('calibrated');
  });
});

describe('holds', () => {
  test('the longest counts, the number is bounded, and something else is not taken up', () => {
    const holds = openHolds(2);
    holds.hold('a', 100);
    holds.hold('a', 50);
    expect(holds.isHeld('a', 99)).toBe(true);
    holds.hold('b', 100);
    holds.hold('c', 100);
    expect(holds.isHeld('a', 0)).toBe(false);
    expect(openHolds(2, holds.keep()).isHeld('c', 99)).toBe(true);
    expect(() => openHolds(2, [['a']])).toThrow(expect.objectContaining({ code: 'result/invalid' }));
  });
});

import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Observations } from '../detector.ts';
import { fitReference, spreadOf } from './calm-reference.ts';
import { calmClients, observed, samples } from './clients.fixture.ts';
import { openQueryShift, type QueryShiftSettings } from './query-shift.ts';

const calm = observed(samples(2000, randomFrom(1, 'calm')));
const plain = fitReference({ n: calm.n, features: calm.features!, scores: calm.scores });
const reference = {
  ...plain,
  spread: spreadOf(
    plain,
    calmClients(10, 200, 2).map(({ n, features, scores }) => ({ n, features: features!, scores })),
  ),
};
const SETTINGS: QueryShiftSettings = {
  reference,
  window: 64,
  level: 3,
  oddLevel: Number.POSITIVE_INFINITY,
  askers: 64,
};

/** The highest score of a client. */
function highest(queries: Observations, settings = SETTINGS, keys = 1): number {
  const watch = openQueryShift(settings);
  let most = 0;
  for (let i = 0; i < queries.n; i++)
    most = Math.max(most, watch.observe(`key ${i % keys}`, queries.features!, queries.scores, i)?.score ?? 0);
  return most;
}

describe('query shift', () => {
  test('calm clients are near 1', () => {
    const ratios = calmClients(20, 300, 3).map((client) => highest(client, { ...SETTINGS, level: 1 }));
    expect(Math.max(...ratios)).toBeLessThan(3);
  });

  test('queries from elsewhere are found within some dozens', () => {
    const strange = observed(samples(200, randomFrom(4, 'strange'), 1.5));
    expect(highest(strange)).toBeGreaterThan(1);
    const watch = openQueryShift(SETTINGS);
    let at = 0;
    while (!((watch.observe('eve', strange.features!, strange.scores, at)?.score ?? 0) > 1)) at++;
    expect(at).toBeLessThan(64);
  });

  test('keys that ask about the same strange things are one actor', () => {
    const strange = observed(samples(160, randomFrom(5, 'strange'), 1.5));
    // Sixteen queries a key are too few to be judged alone.
    expect(highest(strange, { ...SETTINGS, level: 2 }, 10)).toBeGreaterThan(1);
    const watch = openQueryShift(SETTINGS);
    let alone = 0;
    for (let i = 0; i < 16; i++)
      alone = Math.max(alone, watch.observe('k', strange.features!, strange.scores, i)?.score ?? 0);
    expect(alone).toBe(0);
  });

  test('keys whose queries are strange in other ways are other actors', () => {
    const watch = openQueryShift(SETTINGS);
    const [one, other] = [1.5, -1.5].map((shift) =>
      observed(samples(160, randomFrom(15, 'strange'), shift)),
    ) as [Observations, Observations];
    let most = 0;
    for (let i = 0; i < 160; i++)
      for (const [name, { features, scores }] of [
        ['one', one],
        ['other', other],
      ] as const)
        most = Math.max(most, watch.observe(`${name} ${i % 5}`, features!, scores, i)?.actors ?? 0);
    expect(most).toBe(5);
  });

  test('calm keys are not one actor because they are many', () => {
    const many = observed(samples(600, randomFrom(6, 'calm')));
    expect(highest(many, SETTINGS, 30)).toBeLessThan(1);
  });

  test('one strange query for nine calm ones hardly moves the mean, and is counted', () => {
    const strange = samples(40, randomFrom(11, 'strange'), 4);
    const x = samples(400, randomFrom(12, 'calm'));
    for (let i = 0; i < 40; i++) x.set(strange.subarray(i * 16, (i + 1) * 16), 10 * i * 16);
    const mixed = observed(x);
    const counting = { ...SETTINGS, level: Number.POSITIVE_INFINITY, oddLevel: 5 };
    expect(highest(mixed, counting)).toBeGreaterThan(1);
    expect(Math.max(...calmClients(10, 400, 13).map((client) => highest(client, counting)))).toBeLessThan(1);
  });

  test('one strange sample sent a hundred times is one query', () => {
    const one = samples(1, randomFrom(7, 'strange'), 3);
    const x = new Float32Array(100 * 16);
    for (let i = 0; i < 100; i++) x.set(one, i * 16);
    expect(highest(observed(x))).toBe(0);
  });

  test('what is no number is strange and does not wipe out what was known', () => {
    const strange = observed(samples(100, randomFrom(8, 'strange'), 1.5));
    const features = strange.features!.slice();
    features.fill(Number.NaN, 20 * 16, 21 * 16);
    expect(highest({ ...strange, features })).toBeGreaterThan(1);
  });

  test('a restart forgets nothing', () => {
    const strange = observed(samples(120, randomFrom(9, 'strange'), 0.8));
    const whole = openQueryShift(SETTINGS);
    let broken = openQueryShift(SETTINGS);
    for (let i = 0; i < strange.n; i++) {
      const key = `key ${i % 3}`;
      broken = openQueryShift(SETTINGS, broken.snapshot());
      expect(broken.observe(key, strange.features!, strange.scores, i)).toEqual(
        whole.observe(key, strange.features!, strange.scores, i),
      );
    }
  });

  test('what is remembered is bounded', () => {
    const watch = openQueryShift({ ...SETTINGS, askers: 8 });
    const strange = observed(samples(400, randomFrom(10, 'strange'), 1.5));
    for (let i = 0; i < strange.n; i++) watch.observe(`key ${i % 50}`, strange.features!, strange.scores, i);
    expect(watch.snapshot().length).toBeLessThan(8 * 6000);
  });

  test('a reference of other sizes, a short window and a damaged state are refused', () => {
    expect(() => openQueryShift({ ...SETTINGS, window: 8 })).toThrow('window');
    expect(() =>
      openQueryShift({ ...SETTINGS, reference: { ...reference, centre: new Float32Array(3) } }),
    ).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    const state = openQueryShift(SETTINGS).snapshot();
    expect(() => openQueryShift(SETTINGS, state.subarray(1))).toThrow(
      expect.objectContaining({ code: 'result/invalid' }),
    );
    expect(() =>
      fitReference({ n: 10, features: new Float32Array(160), scores: new Float32Array(30) }),
    ).toThrow(expect.objectContaining({ code: 'data/mismatch' }));
  });
});

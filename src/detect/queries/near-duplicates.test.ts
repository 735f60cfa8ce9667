import { describe, expect, test } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { type Rng, randomFrom } from '../../core/random.ts';
import { type NearDuplicateSettings, openNearDuplicates, type Sighting } from './near-duplicates.ts';

const DIMS = [1, 12, 12];
const SIZE = 144;
const SETTINGS: NearDuplicateSettings = {
  sampleDims: DIMS,
  classes: 3,
  radius: 0.3,
  reach: 0.6,
  levels: { size: 10, flips: 4, descents: 8, share: 12 },
  salt: 99,
  capacity: 1024,
  askers: 64,
};

const picture = (rng: Rng) => Float32Array.from({ length: SIZE }, () => rng.uniform());
const changed = (x: Float32Array, by: number, rng: Rng) => x.map((v) => v + by * (rng.uniform() - 0.5));
const scoresOf = (label: number, margin = 1) =>
  Float32Array.from({ length: 3 }, (_, k) => (k === label ? margin : 0));
const CALM = scoresOf(0);

/** Sightings of `n` queries. */
function watched(
  n: number,
  query: (i: number) => { x: Float32Array; asker?: string; scores?: Float32Array },
  settings: Partial<NearDuplicateSettings> = {},
): readonly Sighting[] {
  const watch = openNearDuplicates({ ...SETTINGS, ...settings });
  return Array.from({ length: n }, (_, i) => {
    const { x, asker = 'ann', scores = CALM } = query(i);
    return watch.observe(asker, x, 0, scores, 0);
  });
}
const highest = (seen: readonly Sighting[]) => Math.max(...seen.map(({ score }) => score));

describe('near-duplicates', () => {
  test('unrelated queries are no evidence', () => {
    const rng = randomFrom(1, 'near');
    const seen = watched(500, () => ({ x: picture(rng) }));
    expect(highest(seen)).toBe(0);
    expect(seen.every(({ kind }) => kind === 'new')).toBe(true);
  });

  test('many small changes of one sample are an alarm', () => {
    const rng = randomFrom(2, 'near');
    const x0 = picture(rng);
    const seen = watched(40, () => ({ x: changed(x0, 0.02, rng) }));
    expect(seen.findIndex(({ score }) => score > 1)).toBeLessThan(20);
    expect(seen.at(-1)).toMatchObject({ kind: 'near' });
  });

  test('exact repeats are no evidence, however many', () => {
    const x = picture(randomFrom(3, 'near'));
    const seen = watched(500, () => ({ x }));
    expect(highest(seen)).toBe(0);
    expect(seen.slice(1).every(({ kind }) => kind === 'repeat')).toBe(true);
  });

  test('a burst of a few copies is none, either', () => {
    const rng = randomFrom(4, 'near');
    let x = picture(rng);
    const seen = watched(400, (i) => {
      if (i % 8 < 5) x = picture(rng);
      return { x: i % 8 < 5 ? x : changed(x, 0.02, rng) };
    });
    expect(highest(seen)).toBeLessThan(1);
  });

  test('classes that change to and fro are an alarm sooner', () => {
    const rng = randomFrom(5, 'near');
    const x0 = picture(rng);
    const at = (flips: boolean) =>
      watched(60, (i) => ({ x: changed(x0, 0.02, rng), scores: scoresOf(flips ? i % 2 : 0) }), {
        levels: { size: 40, flips: 4, descents: 40, share: 100 },
      }).findIndex(({ score }) => score > 1);
    expect(at(true)).toBeLessThan(at(false));
    expect(at(true)).toBeGreaterThan(0);
  });

  test('a margin that falls again and again is an alarm', () => {
    const rng = randomFrom(6, 'near');
    const x0 = picture(rng);
    const levels = { size: 1e6, flips: 1e6, descents: 8, share: 1e6 };
    const falling = watched(60, (i) => ({ x: changed(x0, 0.02, rng), scores: scoresOf(0, 1 - i / 100) }), {
      levels,
    });
    const steady = watched(
      60,
      (i) => ({ x: changed(x0, 0.02, rng), scores: scoresOf(0, 1 + (i % 3) / 100) }),
      { levels },
    );
    expect(falling.findLast(({ measure }) => measure === 'descents')!.score).toBeGreaterThan(1);
    expect(highest(steady)).toBeLessThan(1);
  });

  test('one attack from ten keys adds up', () => {
    const rng = randomFrom(7, 'near');
    const x0 = picture(rng);
    const seen = watched(100, (i) => ({ x: changed(x0, 0.02, rng), asker: `key ${i % 10}` }));
    expect(highest(seen)).toBeGreaterThan(1);
  });

  test('one picture of a thousand clients does not', () => {
    const rng = randomFrom(8, 'near');
    const x0 = picture(rng);
    const seen = watched(1000, (i) => ({ x: changed(x0, 0.02, rng), asker: `client ${i}` }), {
      askers: 2048,
    });
    expect(highest(seen)).toBeLessThan(1);
  });

  test('who sends an attacked picture once is not blamed for the attack', () => {
    const rng = randomFrom(9, 'near');
    const x0 = picture(rng);
    const watch = openNearDuplicates(SETTINGS);
    let last = 0;
    for (let i = 0; i < 60; i++) last = watch.observe('eve', changed(x0, 0.02, rng), 0, CALM, 0).score;
    expect(last).toBeGreaterThan(1);
    expect(watch.observe('bob', changed(x0, 0.02, rng), 0, CALM, 0).score).toBeLessThan(1);
  });

  test('thirty calm queries between two of the attack do not hide it; nor do others meanwhile', () => {
    const rng = randomFrom(10, 'near');
    const x0 = picture(rng);
    const seen = watched(
      31 * 40,
      (i) =>
        i % 31 === 0 ? { x: changed(x0, 0.02, rng) } : { x: picture(rng), asker: i % 2 ? 'ann' : 'bob' },
      {
        levels: { size: 5, flips: 4, descents: 8, share: 12 },
      },
    );
    expect(highest(seen)).toBeGreaterThan(1);
  });

  test('tables are compared in units of each column', () => {
    const rng = randomFrom(11, 'near');
    const row = Float32Array.of(1000, 0.5, 3, 7);
    const settings = { sampleDims: [4], scale: [500, 0.2, 1, 2], radius: 0.2, reach: 0.4 };
    const seen = watched(40, () => ({ x: row.map((v) => v * (1 + 0.001 * rng.normal())) }), settings);
    expect(highest(seen)).toBeGreaterThan(1);
    const others = watched(
      40,
      () => ({
        x: Float32Array.of(1000 * rng.uniform(), rng.uniform(), 6 * rng.normal(), 10 * rng.normal()),
      }),
      settings,
    );
    expect(highest(others)).toBeLessThan(1);
  });

  test('a restart forgets nothing: the alarm comes at the same query', () => {
    const draw = () => {
      const rng = randomFrom(12, 'near');
      const x0 = picture(rng);
      return Array.from({ length: 40 }, (_, i) => (i % 2 ? picture(rng) : changed(x0, 0.05, rng)));
    };
    const queries = draw();
    const whole = openNearDuplicates(SETTINGS);
    const scores = queries.map((x) => whole.observe('eve', x, 0, CALM, 0));
    let watch = openNearDuplicates(SETTINGS);
    const broken = queries.map((x) => {
      watch = openNearDuplicates({ ...SETTINGS, salt: 5 }, watch.snapshot());
      return watch.observe('eve', x, 0, CALM, 0);
    });
    expect(broken).toEqual(scores);
    expect(highest(scores)).toBeGreaterThan(0.5);
  });

  test('a memory kept with other settings, or damaged, is refused', () => {
    const bytes = openNearDuplicates(SETTINGS).snapshot();
    expect(() => openNearDuplicates({ ...SETTINGS, capacity: 2048 }, bytes)).toThrow(
      expect.objectContaining({ code: 'result/invalid' }),
    );
    const rng = randomFrom(13, 'near');
    for (let i = 0; i < 50; i++) {
      const damaged = Uint8Array.from(bytes);
      // The header, where structure is.
      damaged[rng.integer(300)] = rng.integer(256);
      try {
        openNearDuplicates(SETTINGS, damaged);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(GlacisError);
      }
    }
  });

  test('what is remembered is bounded, whoever asks', () => {
    const rng = randomFrom(14, 'near');
    const watch = openNearDuplicates({ ...SETTINGS, capacity: 64, askers: 8 });
    let after = 0;
    for (let i = 0; i < 2000; i++) {
      watch.observe(`client ${i % 100}`, picture(rng), 0, CALM, 0);
      if (i === 500) after = watch.snapshot().length;
    }
    expect(watch.snapshot().length).toBeLessThan(1.1 * after);
  });

  test.each([
    { radius: 0 },
    { reach: 0.1 },
    { classes: 0 },
    { salt: -1 },
    { scale: [1] },
    { askers: 0 },
    { levels: { ...SETTINGS.levels, flips: 0 } },
  ])('%j is refused', (bad) => {
    expect(() => openNearDuplicates({ ...SETTINGS, ...bad })).toThrow(
      expect.objectContaining({ code: 'option/invalid' }),
    );
  });
});

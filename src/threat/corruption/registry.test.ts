import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { ImageDims } from '../image-dims.ts';
import { corrupt } from './corruption.ts';
import { CORRUPTIONS, corruptionFrom } from './registry.ts';
import { scene } from './sample-picture.fixture.ts';
import { CORRUPTION_SEVERITIES, type CorruptionSeverity } from './severity.ts';

const COLOUR: ImageDims = { channels: 3, height: 32, width: 32, layout: 'chw' };
const GREY: ImageDims = { channels: 1, height: 28, width: 28, layout: 'chw' };
const rngOf = (id: string, severity: number, sample = 0) => randomFrom(5, id, severity, sample);

/** Mean absolute change. */
function change(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

function distortion(id: string, severity: CorruptionSeverity, dims: ImageDims, samples = 4): number {
  const image = scene(dims);
  let sum = 0;
  for (let s = 0; s < samples; s++)
    sum += change(corrupt(corruptionFrom(id), image, dims, severity, rngOf(id, severity, s)), image);
  return sum / samples;
}

describe('the registry', () => {
  it('holds the 15 corruptions of the paper by family, each id once', () => {
    const families = Map.groupBy(CORRUPTIONS, (c) => c.family);
    expect([...families].map(([family, list]) => [family, list.length])).toEqual([
      ['noise', 3],
      ['blur', 4],
      ['weather', 4],
      ['digital', 4],
    ]);
    expect(new Set(CORRUPTIONS.map((c) => c.id)).size).toBe(15);
  });

  it('names what exists where an id does not', () => {
    expect(() => corruptionFrom('fogg')).toThrow("got 'fogg' (did you mean 'fog'?)");
  });
});

describe.each(CORRUPTIONS.map((c) => [c.id] as const))('%s', (id) => {
  const corruption = corruptionFrom(id);

  it.each([
    ['colour', COLOUR],
    ['grey', GREY],
  ])('changes a %s picture at every severity, within [0, 1], without touching it', (_, dims) => {
    const image = scene(dims);
    const before = image.slice();
    for (const severity of CORRUPTION_SEVERITIES) {
      const out = corrupt(corruption, image, dims, severity, rngOf(id, severity));
      expect(out).toHaveLength(image.length);
      expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(change(out, image)).toBeGreaterThan(1e-3);
    }
    expect(image).toEqual(before);
  });

  it('gives the same values for the same stream', () => {
    const image = scene(COLOUR);
    const run = () => corrupt(corruption, image, COLOUR, 3, rngOf(id, 3));
    expect(run()).toEqual(run());
  });

  it('gives the same picture whether channels come first or last', () => {
    const first = corrupt(corruption, scene(COLOUR), COLOUR, 4, rngOf(id, 4));
    const dims = { ...COLOUR, layout: 'hwc' } as const;
    const last = corrupt(corruption, scene(dims), dims, 4, rngOf(id, 4));
    const size = 32 * 32;
    const moved = Float32Array.from(last, (_, i) => last[(i % size) * 3 + Math.floor(i / size)]!);
    expect(moved).toEqual(first);
  });

  it('takes any shape, any values in [0, 1], any severity', () => {
    const shape = fc.record({
      channels: fc.integer({ min: 1, max: 5 }),
      height: fc.integer({ min: 1, max: 21 }),
      width: fc.integer({ min: 1, max: 21 }),
      layout: fc.constantFrom('chw' as const, 'hwc' as const),
    });
    const unit = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom(...CORRUPTION_SEVERITIES),
        fc.array(unit, { minLength: 1, maxLength: 16 }),
        (dims, severity, some) => {
          const length = dims.channels * dims.height * dims.width;
          const image = Float32Array.from({ length }, (_, i) => some[i % some.length]!);
          const out = corrupt(corruption, image, dims, severity, rngOf(id, severity));
          return out.length === length && out.every((value) => value >= 0 && value <= 1);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    [1, 1],
    [1, 300],
    [300, 1],
    [40, 70],
    [64, 64],
  ])('takes %i × %i pixels', (height, width) => {
    const dims = { channels: 3, height, width, layout: 'chw' } as const;
    const out = corrupt(corruption, scene(dims), dims, 5, rngOf(id, 5));
    expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
  });
});

// As published, the elastic map bends less where it wobbles more: at 32 pixels, severity 1 moves more than 5.
const RISING = CORRUPTIONS.filter(({ id }) => id !== 'elastic-transform');

it.each(RISING.map(({ id }) => [id] as const))('%s distorts more at severity 5 than at 1', (id) => {
  expect(distortion(id, 5, COLOUR)).toBeGreaterThan(distortion(id, 1, COLOUR));
  expect(distortion(id, 5, GREY)).toBeGreaterThan(distortion(id, 1, GREY));
});

it('the corruptions together distort more with every severity', () => {
  for (const dims of [COLOUR, GREY]) {
    const means = CORRUPTION_SEVERITIES.map((severity) =>
      CORRUPTIONS.reduce((sum, { id }) => sum + distortion(id, severity, dims), 0),
    );
    for (let i = 1; i < means.length; i++) expect(means[i]!).toBeGreaterThan(means[i - 1]!);
  }
});

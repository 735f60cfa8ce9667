import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { randomFrom } from '../../core/random.ts';
import { type Detector, defineDetector, type Observations } from '../detector.ts';
import { energy } from '../energy.ts';
import { mahalanobis } from '../features/mahalanobis.ts';
import { packedFloats, packFloats } from '../packed-floats.ts';
import { calibrateDetector } from './calibrate.ts';
import { calibrationToJson, guardCalibrationFrom, readCalibration } from './read-calibration.ts';
import type { Calibration } from './schema.ts';
import { splitCalm } from './split.ts';
import { alarmsAmong, fewestFor, thresholdFor } from './threshold.ts';

const MODEL = `sha256:${'a'.repeat(64)}`;

describe('thresholdFor', () => {
  it('is the score of the rank that split conformal prediction gives', () => {
    const scores = Float64Array.from({ length: 999 }, (_, i) => i);
    expect(thresholdFor(scores, 0.001)).toEqual({ rate: 0.001, threshold: 998, rank: 999, calm: 999 });
    expect(thresholdFor(scores, 0.01)).toMatchObject({ threshold: 989, rank: 990 });
    expect(thresholdFor([5, 1, 3, 2, 4], 0.5)).toMatchObject({ threshold: 3, rank: 3 });
  });

  it('promises nothing with too few samples', () => {
    expect(fewestFor(0.001)).toBe(999);
    expect(fewestFor(0.01)).toBe(99);
    expect(thresholdFor(new Float64Array(998), 0.001)).toBeUndefined();
    expect(thresholdFor(new Float64Array(999), 0.001)).toBeDefined();
    expect(thresholdFor([], 0.01)).toBeUndefined();
  });

  it('raises an alarm for at most the stated share of samples of which any could have been the new one', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 25, maxLength: 60 });
    fc.assert(
      fc.property(scores, (all) => {
        const alarms = all.filter((score, i) => {
          const found = thresholdFor(all.toSpliced(i, 1), 0.05);
          return found !== undefined && score > found.threshold;
        });
        expect(alarms.length).toBeLessThanOrEqual(0.05 * all.length);
      }),
      { numRuns: 50 },
    );
    const apart = Array.from({ length: 40 }, (_, i) => i);
    const alarms = apart.filter((score, i) => score > thresholdFor(apart.toSpliced(i, 1), 0.05)!.threshold);
    expect(alarms).toEqual([38, 39]);
  });

  it('promises it for most calibrations where that is asked for', () => {
    const scores = Float64Array.from({ length: 2995 }, (_, i) => i);
    // 0.999^2995 is just below 0.05, 0.999^2994 just above.
    expect(fewestFor(0.001, 0.95)).toBe(2995);
    expect(thresholdFor(scores, 0.001, 0.95)).toEqual({
      rate: 0.001,
      threshold: 2994,
      rank: 2995,
      calm: 2995,
      confidence: 0.95,
    });
    expect(thresholdFor(scores.subarray(1), 0.001, 0.95)).toBeUndefined();
    // Wilks: of 473 samples the second highest bounds 99 % with 95 % confidence, of 472 the highest.
    expect(thresholdFor(new Float64Array(473), 0.01, 0.95)).toMatchObject({ rank: 472 });
    expect(thresholdFor(new Float64Array(472), 0.01, 0.95)).toMatchObject({ rank: 472 });
    expect(thresholdFor(new Float64Array(5000), 0.01, 0.95)!.rank).toBeGreaterThan(
      thresholdFor(new Float64Array(5000), 0.01)!.rank,
    );
  });

  it('takes NaN for the highest score and gives no threshold that is not finite', () => {
    const scores = [1, 2, Number.NaN, 3];
    expect(thresholdFor(scores, 0.4)).toMatchObject({ threshold: 3, rank: 3 });
    expect(thresholdFor(scores, 0.2)).toBeUndefined();
    expect(alarmsAmong([1, Number.NaN, 4, 3], 3)).toBe(2);
  });

  it('never has more alarms among its own samples than its rank says', () => {
    const score = fc.double({ noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(score, { minLength: 20, maxLength: 200 }), (scores) => {
        const found = thresholdFor(scores, 0.05);
        if (found)
          expect(alarmsAmong(scores, found.threshold)).toBeLessThanOrEqual(scores.length - found.rank);
      }),
    );
  });
});

describe('splitCalm', () => {
  it('gives every sample to one part, half of them held out, the same for the same seed', () => {
    const { fit, threshold, heldOut } = splitCalm(101, 5, false);
    expect([fit.length, threshold.length, heldOut.length]).toEqual([25, 25, 51]);
    expect(new Set([...fit, ...threshold, ...heldOut]).size).toBe(101);
    expect(splitCalm(101, 5, false)).toEqual({ fit, threshold, heldOut });
    expect(splitCalm(101, 6, false).fit).not.toEqual(fit);
    expect(splitCalm(101, 5, true)).toMatchObject({ fit: new Int32Array(0) });
    expect(splitCalm(101, 5, true).threshold.length).toBe(50);
  });

  it('refuses too few', () => {
    expect(() => splitCalm(39, 0, false)).toThrow(/at least 40, got 39/);
  });
});

describe('packedFloats', () => {
  it('keeps every bit', () => {
    const values = Float32Array.of(0, -0, 1e-45, 3.4028235e38, 1 / 3);
    expect(packedFloats(5).parse(packFloats(values))).toEqual(values);
    expect(packedFloats(0).parse('')).toEqual(new Float32Array(0));
  });

  it.each([
    ['', 'AAAA'],
    ['a value that is not finite', packFloats(Float32Array.of(Number.NaN))],
    ['blanks', ` ${packFloats(Float32Array.of(1))}`],
    ['another alphabet', '__-_AA=='],
    ['too many', packFloats(new Float32Array(6))],
    ['no text', 7],
  ])('refuses what it did not write: %s', (_, given) => {
    expect(packedFloats(3).safeParse(given).success).toBe(false);
  });
});

/** A detector whose score is the input itself, and which counts what it learnt from. */
const plain: Detector<{ seen: number }> = defineDetector({
  id: 'plain',
  needs: 'inputs',
  kept: z.strictObject({ seen: z.number() }),
  fit: ({ n }) => ({ seen: n }),
  open: () => (seen: Observations) => Float64Array.from(seen.x),
});
const observed = (x: readonly number[]): Observations => ({
  n: x.length,
  x: Float32Array.from(x),
  scores: new Float32Array(2 * x.length),
});
const watched = { sampleDims: [1], classes: 2, gives: 'logits' } as const;

describe('calibrateDetector', () => {
  it('measures on samples that thresholds were not set on', async () => {
    const part = await calibrateDetector(
      plain,
      watched,
      {
        fit: observed([0, 0, 0]),
        threshold: observed(Array.from({ length: 99 }, (_, i) => i)),
        heldOut: observed([98, 99, 100, 0]),
        attacked: observed([1000, 0]),
      },
      [0.001, 0.01],
      (k, n) => [k / n, k / n],
    );
    expect(part).toMatchObject({ fit: { seen: 3 }, watched });
    expect(part.thresholds).toEqual([
      {
        rate: 0.01,
        threshold: 98,
        rank: 99,
        calm: 99,
        heldOut: { n: 4, alarms: 2, low: 0.5, high: 0.5 },
        attacked: { n: 2, alarms: 1, low: 0.5, high: 0.5 },
      },
    ]);
  });
});

describe('a calibration file', () => {
  const calibration = async (): Promise<Calibration> => {
    const rng = randomFrom(1, 'file');
    const seen = (n: number): Observations => ({
      n,
      x: new Float32Array(n),
      scores: Float32Array.from({ length: 2 * n }, () => rng.normal()),
      features: Float32Array.from({ length: 3 * n }, () => rng.normal()),
    });
    const parts = { fit: seen(50), threshold: seen(120), heldOut: seen(50) };
    const of = { ...watched, features: 3 };
    const interval = () => [0, 1] as const;
    return {
      schema: 'glacis.calibration/1',
      model: MODEL,
      data: { calm: MODEL, seed: 0, samples: { fit: 50, threshold: 120, heldOut: 50 } },
      guards: {
        energy: await calibrateDetector(energy, of, parts, [0.01], interval),
        mahalanobis: await calibrateDetector(mahalanobis, of, parts, [0.01], interval),
      },
    };
  };

  it('is read as it was written, and its fits open again to the same scores', async () => {
    const made = await calibration();
    const read = readCalibration(calibrationToJson(made), 'c.json', MODEL);
    expect(read.data).toEqual(made.data);
    const part = guardCalibrationFrom('mahalanobis', read.guards.mahalanobis);
    const fit = mahalanobis.kept.parse(part.fit);
    expect(fit).toEqual(made.guards.mahalanobis!.fit);
    expect(mahalanobis.open(fit, part.watched)).toBeTypeOf('function');
  });

  it('is refused for another model', async () => {
    const text = calibrationToJson(await calibration());
    expect(() => readCalibration(text, 'c.json', `sha256:${'b'.repeat(64)}`)).toThrow(
      expect.objectContaining({ code: 'data/mismatch' }),
    );
  });

  it.each<[string, (json: Record<string, unknown>) => unknown]>([
    ['another schema', (json) => ({ ...json, schema: 'glacis.calibration/2' })],
    ['an unknown key', (json) => ({ ...json, more: 1 })],
    ['no model', ({ model, ...rest }) => rest],
    ['a guard without a proper name', (json) => ({ ...json, guards: { '../x': {} } })],
    ['a guard without thresholds', (json) => ({ ...json, guards: { energy: { watched, fit: {} } } })],
    ['a list', () => []],
    ['nothing', () => null],
  ])('is refused with %s', async (_, change) => {
    const json = JSON.parse(calibrationToJson(await calibration())) as Record<string, unknown>;
    expect(() => readCalibration(JSON.stringify(change(json)), 'c.json', MODEL)).toThrow(
      expect.objectContaining({ code: 'data/unreadable' }),
    );
  });

  it('is refused, with a clear error, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          readCalibration(text, 'c.json', MODEL);
          expect.unreachable();
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'GlacisError', code: 'data/unreadable' });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not change anything of Object by its keys', () => {
    const text = `{"schema":"glacis.calibration/1","__proto__":{"polluted":1},"guards":{"__proto__":{}}}`;
    expect(() => readCalibration(text, 'c.json', MODEL)).toThrow(/glacis calibrate/);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("needs a guard's own part", () => {
    expect(() => guardCalibrationFrom('energy', undefined)).toThrow(
      /run glacis calibrate MODEL --guards energy/,
    );
    expect(() => guardCalibrationFrom('energy', { thresholds: [] })).toThrow(/something else/);
  });
});

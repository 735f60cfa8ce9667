import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../oip/index.ts';
import { entropy } from './entropy-detector.ts';
import { firstNotFinite } from './not-finite.ts';
import { plainFault } from './plain-faults.ts';
import { valueEntropy } from './value-entropy.ts';

const limits = { range: [0, 1] as const, constant: true, denormal: 0.01 };
const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => i / (n - 1));

describe('firstNotFinite', () => {
  it.each<[Tensor['datatype'], Tensor['data'], number]>([
    ['FP32', Float32Array.of(0, 1, Number.NaN), 2],
    ['FP32', Float32Array.of(Number.NEGATIVE_INFINITY, 1), 0],
    ['FP32', Float32Array.of(3.4e38, -0, 1e-45), -1],
    ['FP64', Float64Array.of(1e308, Number.POSITIVE_INFINITY), 1],
    ['FP16', Uint16Array.of(0x3c00, 0x7bff, 0xfc00), 2],
    ['FP16', Uint16Array.of(0x3c00, 0x7e01), 1],
    ['FP16', Uint16Array.of(0x3c00, 0x7bff, 0x0001), -1],
    ['BF16', Uint16Array.of(0x3f80, 0x7f7f, 0x7f80), 2],
    ['BF16', Uint16Array.of(0x7c00, 0x3f80), -1],
    ['INT64', BigInt64Array.of(2n ** 62n), -1],
    ['BYTES', [Uint8Array.of(255, 255)], -1],
  ])('%s: finds NaN and infinities by their bits', (datatype, data, at) => {
    const tensor = { name: 'x', datatype, shape: [data.length], data } as Tensor;
    expect(firstNotFinite(tensor)).toBe(at);
  });
});

describe('plainFault', () => {
  it('lets what keeps the rules pass', () => {
    expect(plainFault(ramp(32), 0, 32, limits)).toBeUndefined();
    expect(plainFault(ramp(32), 0, 32, { ...limits, range: undefined })).toBeUndefined();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -0.001, 1.001])(
    'refuses %s with its place only',
    (value) => {
      const x = ramp(64);
      x[40] = value;
      expect(plainFault(x, 32, 32, limits)).toBe('element 8 is outside the range');
      expect(plainFault(x, 0, 32, limits)).toBeUndefined();
    },
  );

  it('refuses NaN and infinities where no range is known', () => {
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const x = ramp(16);
      x[3] = value;
      expect(plainFault(x, 0, 16, { ...limits, range: undefined })).toMatch(/element 3/);
    }
  });

  it('refuses blank samples of many values, unless they are allowed', () => {
    const blank = new Float32Array(16).fill(0.5);
    expect(plainFault(blank, 0, 16, limits)).toBe('all values are equal');
    expect(plainFault(blank, 0, 15, limits)).toBeUndefined();
    expect(plainFault(blank, 0, 16, { ...limits, constant: false })).toBeUndefined();
  });

  it('refuses samples with many denormal numbers', () => {
    const x = ramp(200);
    x.fill(1e-40, 0, 2);
    expect(plainFault(x, 0, 200, limits)).toBeUndefined();
    x.fill(-1e-40, 0, 3);
    expect(plainFault(x, 0, 200, { ...limits, range: [-1, 1] })).toBe('3 of 200 values are denormal');
    expect(plainFault(x, 0, 200, { ...limits, range: [-1, 1], denormal: 1 })).toBeUndefined();
  });

  it('never lets a sample pass that holds a value outside the range', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1, maxLength: 40 }), (x) => {
        const inside = x.every((v) => v >= 0 && v <= 1);
        if (plainFault(x, 0, x.length, limits) === undefined) expect(inside).toBe(true);
        else if (inside)
          expect(x.every((v) => v === x[0]) || x.some((v) => Math.abs(v) < 2 ** -126 && v !== 0)).toBe(true);
      }),
    );
  });
});

describe('valueEntropy', () => {
  it('is 0 for a blank sample, 1 bit for two equally frequent values, 8 for all levels', () => {
    expect(valueEntropy(new Float32Array(100), 0, 100, [0, 1])).toBe(0);
    expect(valueEntropy(Float32Array.of(0, 1, 0, 1), 0, 4, [0, 1])).toBeCloseTo(1, 12);
    expect(valueEntropy(ramp(256), 0, 256, [0, 1])).toBeCloseTo(8, 12);
    expect(valueEntropy(ramp(256), 0, 0, [0, 1])).toBe(0);
  });

  it('looks at a bounded number of values of a large sample', () => {
    const x = new Float32Array(1 << 20).fill(0.25);
    x.fill(0.75, 1 << 19);
    expect(valueEntropy(x, 0, x.length, [0, 1])).toBeCloseTo(1, 6);
  });

  it('lies between 0 and 8 for any bits', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 50 }), (x) => {
        const bits = valueEntropy(x, 0, x.length, [0, 1]);
        expect(bits).toBeGreaterThanOrEqual(0);
        expect(bits).toBeLessThanOrEqual(8);
      }),
    );
  });
});

describe('entropy', () => {
  it('scores noise and blanks above what it learnt from', () => {
    const sample = (i: number) => Float32Array.from({ length: 64 }, (_, j) => ((i + j) % 4) / 4);
    const rows = Array.from({ length: 9 }, (_, i) => sample(i));
    const x = Float32Array.from(rows.flatMap((row) => [...row]));
    const watched = { sampleDims: [64], classes: 2, gives: 'logits', range: [0, 1] } as const;
    const calm = { n: 9, x, scores: new Float32Array(18) };
    const scorer = entropy.open(entropy.fit(calm, watched), watched);
    const [calmest] = scorer(calm) as Float64Array;
    const strange = scorer({
      n: 2,
      x: Float32Array.from([...ramp(64), ...new Float32Array(64)]),
      scores: new Float32Array(4),
    }) as Float64Array;
    expect(calmest).toBeCloseTo(0, 12);
    expect(strange[0]).toBeCloseTo(4, 6);
    expect(strange[1]).toBeCloseTo(2, 6);
  });
});

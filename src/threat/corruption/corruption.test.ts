import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { corrupt } from './corruption.ts';
import { contrast } from './light.ts';
import type { CorruptionSeverity } from './severity.ts';

const rng = randomFrom(1);
const dims = { channels: 1, height: 1, width: 2, layout: 'chw' } as const;

describe('corrupt', () => {
  it.each([
    ['too few values', [0], dims, 1, 'data/mismatch'],
    ['no height', [0, 0], { ...dims, height: 0 }, 1, 'data/mismatch'],
    ['half a channel', [0], { ...dims, channels: 0.5 }, 1, 'data/mismatch'],
    ['a value of another range', [0, 2], dims, 1, 'data/mismatch'],
    ['a value below', [-0.5, 0], dims, 1, 'data/mismatch'],
    ['no number', [0, Number.NaN], dims, 1, 'data/not-finite'],
    ['severity 0', [0, 0], dims, 0, 'option/invalid'],
    ['severity 2.5', [0, 0], dims, 2.5, 'option/invalid'],
  ] as const)('refuses %s', (_, values, size, severity, code) => {
    expect(() =>
      corrupt(contrast, Float32Array.from(values), size, severity as CorruptionSeverity, rng),
    ).toThrow(expect.objectContaining({ code }));
  });

  it('clips what rounding left outside, before and after', () => {
    const seen: number[] = [];
    const out = corrupt(
      {
        distort: ({ values }) => {
          seen.push(...values);
          return [-3, 3];
        },
      },
      Float32Array.of(-0.00005, 1.00005),
      dims,
      1,
      rng,
    );
    expect(seen).toEqual([0, 1]);
    expect([...out]).toEqual([0, 1]);
  });
});

import { describe, expect, it } from 'vitest';
import { backwards, breakPoint, stillRising } from './trace.ts';

const line = Array.from({ length: 40 }, (_, i) => i);
const settled = Array.from({ length: 40 }, (_, i) => Math.min(i, 5));

describe('a loss that is still rising', () => {
  it('is told from one that has settled', () => {
    expect(stillRising(line)).toBe(true);
    expect(stillRising(settled)).toBe(false);
  });

  it('is measured on the best so far: falling at the end is no rise', () => {
    expect(stillRising([...settled.slice(0, 30), ...Array.from({ length: 10 }, (_, i) => i % 3)])).toBe(
      false,
    );
  });

  it('is not seen where nothing changed, or nothing was tried', () => {
    expect(stillRising([1, 1, 1])).toBe(false);
    expect(stillRising([1])).toBe(false);
    expect(stillRising([])).toBe(false);
    expect(stillRising([Number.NaN, Number.NaN])).toBe(false);
  });
});

describe('the break point', () => {
  it('is sharp where the loss rises at once and stays', () => {
    expect(breakPoint(settled)).toBeGreaterThan(0.8);
    expect(breakPoint([0, 1, 1])).toBeCloseTo(1 - 1 / Math.sqrt(5), 12);
  });

  it('is none on a straight line', () => {
    expect(breakPoint(line)).toBeCloseTo(0, 12);
  });

  it('is not known where the loss never rose', () => {
    expect(breakPoint([3, 2, 1])).toBeUndefined();
    expect(breakPoint([0, 1])).toBeUndefined();
  });
});

describe('the way backwards', () => {
  it.each([
    [[0, 1, 2], 0],
    [[2, 1, 0], 1],
    [[0, 1, 0, 1, 0], 0.5],
    [[0, 3, 2], 0.25],
  ])('of %j is %f of the whole', (losses, share) => {
    expect(backwards(losses)).toBe(share);
  });

  it('is not known where nothing moved or a loss is no number', () => {
    expect(backwards([1, 1])).toBeUndefined();
    expect(backwards([])).toBeUndefined();
    expect(backwards([0, Number.POSITIVE_INFINITY])).toBeUndefined();
  });
});

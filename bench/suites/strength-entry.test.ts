import { describe, expect, it } from 'vitest';
import { type Figures, verdictOf } from './strength-entry.ts';

const figures = (success: number, median: number | null): Figures => ({
  attacked: 100,
  success,
  median,
  queries: 1,
});

describe('verdictOf', () => {
  it('compares the share that falls within a radius, in points', () => {
    const verdict = (ours: number, theirs: number) =>
      verdictOf({ eps: 0.1 }, figures(ours, 9), figures(theirs, 1));
    expect(verdict(0.48, 0.5)).toMatchObject({ measure: 'success', verdict: 'as strong' });
    expect(verdict(0.47, 0.5)).toMatchObject({ measure: 'success', verdict: 'weaker' });
    expect(verdict(0.53, 0.5)).toMatchObject({ measure: 'success', verdict: 'stronger' });
  });

  it('compares median distances where the nearest example is sought, and what is missing counts as infinite', () => {
    const verdict = (ours: number | null, theirs: number | null) =>
      verdictOf({}, figures(0.6, ours), figures(0.6, theirs));
    expect(verdict(1.02, 1)).toMatchObject({ measure: 'median', verdict: 'as strong' });
    expect(verdict(1.03, 1)).toMatchObject({ measure: 'median', verdict: 'weaker' });
    expect(verdict(0.97, 1)).toMatchObject({ measure: 'median', verdict: 'stronger' });
    expect(verdict(null, 1)).toMatchObject({ measure: 'median', verdict: 'weaker' });
    expect(verdict(1, null)).toMatchObject({ measure: 'median', verdict: 'stronger' });
  });

  it('falls back to the share where neither median is finite', () => {
    expect(verdictOf({}, figures(0.2, null), figures(0.4, null))).toMatchObject({
      measure: 'success',
      verdict: 'weaker',
    });
  });

  it('takes a difference for chance where seeds differ as much', () => {
    const seeds = (...values: readonly number[]): Figures => ({
      ...figures(values.reduce((total, v) => total + v, 0) / values.length, null),
      runs: values.map((success) => ({ success, median: null })),
    });
    const verdict = (ours: Figures, theirs: Figures) => verdictOf({ eps: 0.1 }, ours, theirs).verdict;
    expect(verdict(seeds(0.4, 0.5), seeds(0.45, 0.55))).toBe('within chance');
    expect(verdict(seeds(0.4, 0.41), seeds(0.5, 0.51))).toBe('weaker');
    expect(verdict(seeds(0.6, 0.61), seeds(0.5, 0.51))).toBe('stronger');
    expect(verdict(seeds(0.45), seeds(0.5))).toBe('weaker');
  });
});

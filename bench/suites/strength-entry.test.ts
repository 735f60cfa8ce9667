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
});

import { describe, expect, it } from 'vitest';
import type { Comparison, ComparisonRow } from '../assess/index.ts';
import { outcomeWords } from './words.ts';

const rate = (accuracy: number) => ({ n: 100, right: 100 * accuracy, accuracy, confidence: [0, 1] as const });

function row(
  kind: 'clean' | 'worst',
  before: number,
  after: number,
  verdict: 'higher' | 'lower' | 'no difference shown',
): ComparisonRow {
  return {
    kind,
    attacks: kind === 'clean' ? [] : ['fgsm', 'pgd'],
    ...(kind === 'worst' && { norm: 'linf' as const, eps: 0.1 }),
    rates: [rate(before), rate(after)],
    contrasts: [
      { model: 1, difference: after - before, interval: [-0.05, 0.35], p: 0.001, corrected: 0.002, verdict },
    ],
  };
}

const words = (...rows: readonly ComparisonRow[]) =>
  outcomeWords({ rows } as unknown as Comparison).join('\n');

describe('outcomeWords', () => {
  it('says what was gained, and that it was paid for', () => {
    const text = words(row('clean', 0.99, 0.95, 'lower'), row('worst', 0.1, 0.6, 'higher'));
    expect(text).toContain(
      'Under the strongest of 2 attacks at linf 0.1 the model is right on 10.0 % before and 60.0 % after',
    );
    expect(text).toContain('−5.0 to +35.0 points, p = 0.002');
    expect(text).toContain('pays with accuracy');
  });

  it('says that nothing was paid where nothing shows it', () => {
    expect(
      words(row('clean', 0.99, 0.98, 'no difference shown'), row('worst', 0.1, 0.6, 'higher')),
    ).toContain('at no price');
  });

  it('says that nothing was gained, or that something was lost', () => {
    const clean = row('clean', 0.99, 0.99, 'no difference shown');
    expect(words(clean, row('worst', 0.1, 0.12, 'no difference shown'))).toContain('Nothing shows');
    expect(words(clean, row('worst', 0.3, 0.1, 'lower'))).toContain('weaker');
  });
});

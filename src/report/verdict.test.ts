import { describe, expect, it } from 'vitest';
import { sampleAssessment, sampleResult, sampleWorstCase } from '../assess/result.fixture.ts';
import { verdictOf, worstCases } from './verdict.ts';

/** The verdict on two attacks at eps 0.3 that leave `right` of `clean` of `n`. */
function verdict(right: number, clean: number, n: number) {
  const results = [sampleResult('fgsm', 0.3, [clean, clean, n]), sampleResult('pgd', 0.3, [right, clean, n])];
  const { level, headline, details } = verdictOf(
    sampleAssessment({ results, worstCases: [sampleWorstCase(0.3, [right, clean, n])] }),
  );
  return {
    level,
    headline: headline.replaceAll('\u00a0', ' '),
    details: details.join(' ').replaceAll('\u00a0', ' '),
  };
}

describe('verdictOf', () => {
  it('says in plain words what was kept and what was changed', () => {
    const { level, headline, details } = verdictOf(sampleAssessment());
    expect(level).toBe('weakened');
    expect(headline).toBe('At eps 0.3 (Linf) the model keeps 67.4\u00a0% of 1,000 answers.');
    expect(details[0]).toBe(
      'Before the attack 977 of them were right; the strongest of 2 attacks (pgd) changed 302 of these, both together 303.',
    );
  });

  it.each([
    [900, 1000, 'held'],
    [899, 1000, 'weakened'],
    [499, 1000, 'gave way'],
    [99, 1000, 'fell'],
    [0, 1000, 'fell'],
    [0, 0, 'unknown'],
  ])('%d kept of %d right ones: %s', (right, clean, level) => {
    expect(verdict(right, clean, 1000).level).toBe(level);
  });

  it('does not let an unfinished assessment say that a model held', () => {
    const results = [sampleResult('fgsm', 0.3, [970, 977, 1000])];
    const whole = sampleAssessment({ results, worstCases: [] });
    expect(verdictOf(whole).level).toBe('held');
    expect(verdictOf({ ...whole, status: 'partial' }).level).toBe('unknown');
  });

  it('does not call a model good that was wrong from the start', () => {
    expect(verdict(0, 0, 50).headline).toBe(
      'The model gives no right answer even without an attack, out of 50.',
    );
    expect(verdict(100, 100, 1000).details).toContain('Already without an attack only 10.0 % are right');
  });

  it('says none instead of 0 %, and warns of few samples', () => {
    expect(verdict(0, 20, 20).headline).toBe('At eps 0.3 (Linf) the model keeps none of 20 answers.');
    expect(verdict(0, 20, 20).details).toContain('Only 20 samples');
    expect(verdict(0, 200, 200).details).not.toContain('samples were attacked');
  });

  it('knows nothing without results', () => {
    const { level, headline } = verdictOf(sampleAssessment({ results: [], worstCases: [] }));
    expect([level, headline]).toEqual(['unknown', 'No attack was finished, so nothing is known.']);
  });

  it('speaks of the largest budget of the first norm, and names the other norms', () => {
    const results = [0.3, 0.1].map((eps) => sampleResult('pgd', eps, [500, 900, 1000]));
    results.push(sampleResult('pgd', 2, [100, 900, 1000], { norm: 'l2' }));
    const { worst, details } = verdictOf(sampleAssessment({ results, worstCases: [] }));
    expect([worst?.norm, worst?.eps]).toEqual(['linf', 0.3]);
    expect(details.join(' ')).toContain('At eps 2 (L2) it keeps 10.0\u00a0%.');
  });
});

describe('worstCases', () => {
  it('puts the strongest attack where no worst case was joined', () => {
    const results = [sampleResult('fgsm', 0.1, [800, 900, 1000]), sampleResult('pgd', 0.1, [700, 900, 1000])];
    expect(worstCases(sampleAssessment({ results, worstCases: [] }))).toMatchObject([
      { eps: 0.1, robustAccuracy: 0.7, attacks: ['pgd'] },
    ]);
  });

  it('does not believe a worst case that is better than an attack', () => {
    const results = [sampleResult('pgd', 0.3, [100, 977, 1000])];
    const rosy = [sampleWorstCase(0.3, [970, 977, 1000])];
    expect(verdictOf(sampleAssessment({ results, worstCases: rosy })).level).toBe('gave way');
  });

  it('orders by norm as in the results, then by eps', () => {
    const joined = [0.3, 0.1].map((eps) => sampleWorstCase(eps, [1, 2, 3]));
    const results = [sampleResult('pgd', 1, [1, 2, 3], { norm: 'l2' }), sampleResult('pgd', 0.3, [1, 2, 3])];
    const order = worstCases(sampleAssessment({ results, worstCases: joined })).map(
      (each) => `${each.norm} ${each.eps}`,
    );
    expect(order).toEqual(['l2 1', 'linf 0.1', 'linf 0.3']);
  });
});

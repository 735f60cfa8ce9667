import { describe, expect, it } from 'vitest';
import { type FindingFacts, findingsFrom } from './findings.ts';
import { CHECKS } from './reliability/checks/registry.ts';
import { honestFacts } from './reliability/facts.fixture.ts';
import { sampleResult, sampleWorstCase } from './result.fixture.ts';

/** A model that is right on 95 of 100 samples and keeps `robust` of them at Linf 0.1. */
function facts(robust: number, more: Partial<FindingFacts> = {}): FindingFacts {
  return {
    results: [sampleResult('fgsm', 0.1, [robust, 95, 100]), sampleResult('pgd', 0.1, [robust, 95, 100])],
    worstCases: [sampleWorstCase(0.1, [robust, 95, 100])],
    classes: 10,
    cleanAccuracy: 0.95,
    randomised: false,
    refused: [],
    ...more,
  };
}

const ids = (f: FindingFacts) => findingsFrom(f).map(({ id }) => id);

describe('findingsFrom', () => {
  it('finds nothing on a model that holds', () => {
    expect(ids(facts(93))).toEqual([]);
  });

  it.each([
    [0, 'critical'],
    [40, 'high'],
    [70, 'medium'],
    [88, 'low'],
  ])('rates %i of 95 right answers left as %s, with figures and ids', (robust, severity) => {
    const [finding] = findingsFrom(facts(robust));
    expect(finding).toMatchObject({ id: 'evasion/low-robust-accuracy', severity });
    expect(finding!.evidence).toContain(`${95 - robust} of 95`);
    expect(finding!.taxonomy).toEqual({
      atlas: ['AML.T0043', 'AML.T0015'],
      owasp: ['ML01:2023'],
      nist: ['NISTAML.022'],
    });
  });

  it('names the threat that does most, whatever the numbers of their sizes', () => {
    const linf = [sampleWorstCase(0.05, [10, 95, 100]), sampleWorstCase(0.1, [60, 95, 100])];
    const spatial = { ...sampleWorstCase(30, [80, 95, 100]), norm: 'spatial' } as const;
    const patch = { ...sampleWorstCase(0.4, [20, 95, 100]), norm: 'patch' } as const;
    const worstCases = [...linf, spatial, patch];
    const [finding] = findingsFrom(facts(60, { worstCases }));
    expect(finding!.title).toContain('within patch 0.4');
    expect(finding!.evidence).toContain('75 of 95');
  });

  it('carries what the checks of reliability suspect', () => {
    const checks = CHECKS.map((check) => check(honestFacts({ randomised: true })));
    const about = { norm: 'linf', eps: 0.1, samples: 20, masked: true } as const;
    const reliability = { ...about, checks, queries: 0, gradientQueries: 0, seconds: 0 };
    expect(ids(facts(93, { reliability }))).toEqual(['evasion/gradient-masking']);
  });

  it('points at the range and layout where the clean accuracy is near chance', () => {
    const worstCases = [sampleWorstCase(0.1, [5, 11, 100])];
    const [finding] = findingsFrom(facts(5, { results: [], worstCases, cleanAccuracy: 0.11 }));
    expect(finding!.id).toBe('evasion/low-clean-accuracy');
    expect(finding!.remedy).toMatch(/--range.*--layout/);
  });

  it('tells of random models and refused examples', () => {
    const refused = [{ attack: 'pgd', eps: 0.1, count: 3 }];
    expect(ids(facts(93, { randomised: true, refused }))).toEqual([
      'evasion/randomised-model',
      'evasion/examples-refused',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { CHECKS } from './checks/registry.ts';
import { honestFacts, LOOKED, path, some } from './facts.fixture.ts';
import type { ReliabilityFacts } from './facts.ts';
import { reliabilityFindings } from './reliability-findings.ts';

function found(facts: ReliabilityFacts) {
  const checks = CHECKS.map((check) => check(facts));
  return reliabilityFindings({
    norm: 'linf',
    eps: 0.1,
    samples: LOOKED,
    checks,
    masked: checks.some(({ masking, verdict }) => masking && verdict === 'suspicious'),
    queries: 0,
    gradientQueries: 0,
    seconds: 0,
  });
}

const rounding = { stepped: ['Round'], cut: [], random: [], saturating: [] };

describe('findings on reliability', () => {
  it('are none where nothing is suspicious, or nothing was looked at', () => {
    expect(found(honestFacts())).toEqual([]);
    expect(reliabilityFindings(undefined)).toEqual([]);
  });

  it('bring all evidence of masking together, each with what should have held', () => {
    const [finding, ...others] = found(
      honestFacts({ obstacles: rounding, noise: { tried: 40, fell: 9, afterGradients: true } }),
    );
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ id: 'evasion/gradient-masking', severity: 'medium' });
    expect(finding!.evidence).toContain('Expected: noise finds nothing that attacks miss. 9 of the 40');
    expect(finding!.evidence).toContain('Round');
    expect(finding!.remedy).toContain('rounding=straight-through');
    expect(finding!.remedy).toContain('does not say that the model is weak');
  });

  it('are mild where the attacks took account of it', () => {
    const attacks = { ...honestFacts().attacks, straightThrough: true };
    const [finding] = found(honestFacts({ obstacles: rounding, attacks }));
    expect(finding).toMatchObject({ severity: 'low', title: expect.stringContaining('went around') });
  });

  it('tell attacks that stopped early from a masked gradient', () => {
    const findings = found(honestFacts({ paths: some(3, path({ steps: 120, fellAt: 0.1 }), path()) }));
    expect(findings.map(({ id }) => id)).toEqual(['evasion/not-converged']);
    expect(findings[0]!.evidence).toContain('changed 3 of 20 samples');
  });
});

import { describe, expect, it } from 'vitest';
import { CHECKS } from './checks/registry.ts';
import { honestFacts } from './facts.fixture.ts';
import type { Reliability } from './reliability.ts';
import { reliabilityCheck } from './reliability-json.ts';

function reliability(change: Partial<Reliability> = {}): Reliability {
  return {
    norm: 'linf',
    eps: 0.1,
    samples: 20,
    checks: CHECKS.map((check) => check(honestFacts())),
    masked: false,
    queries: 100,
    gradientQueries: 50,
    seconds: 1.5,
    ...change,
  };
}

function problems(value: unknown): readonly string[] {
  const found: string[] = [];
  reliabilityCheck(JSON.parse(JSON.stringify(value)), 'reliability', found);
  return found;
}

describe('a reliability in a file', () => {
  it('is accepted as it was written', () => {
    expect(problems(reliability())).toEqual([]);
  });

  it.each([
    ['samples', { samples: -1 }],
    ['eps', { eps: null }],
    ['norm', { norm: 'l3' }],
    ['masked', { masked: 'no' }],
    ['checks[0].verdict', { checks: [{ ...reliability().checks[0], verdict: 'fine' }] }],
    ['checks[0].id', { checks: [{ ...reliability().checks[0], id: 'other' }] }],
  ])('is refused with a bad %s', (path, change) => {
    expect(problems({ ...reliability(), ...change }).join()).toContain(`reliability.${path}`);
  });

  it('is refused where a check is missing or doubled: what is not there cannot accuse', () => {
    const { checks } = reliability();
    expect(problems(reliability({ checks: checks.slice(1) })).join()).toContain('zero-gradients');
    expect(problems(reliability({ checks: [...checks.slice(1), checks[1]!] })).join()).toContain(
      'zero-gradients',
    );
  });

  it('is refused where its verdict is not that of its checks', () => {
    const accused = CHECKS.map((check) => check(honestFacts({ randomised: true })));
    expect(problems(reliability({ checks: accused, masked: true }))).toEqual([]);
    expect(problems(reliability({ checks: accused })).join()).toContain('expected masked to be true');
    expect(problems(reliability({ masked: true })).join()).toContain('expected masked to be false');
  });
});

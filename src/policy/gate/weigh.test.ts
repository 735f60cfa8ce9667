import { describe, expect, it } from 'vitest';
import type { AttackRun, Claim } from '../evidence/claim.ts';
import { hex, policyOf, robust } from '../policy.fixture.ts';
import { weigh } from './weigh.ts';

/** `met`, `not met` or `short`: what the claims are worth for the requirement. */
function worth(line: string, ...claims: readonly Claim[]): string {
  const policy = policyOf(line);
  const weight = weigh(policy.entries[0]!.stages.production![0]!, claims, policy.threats);
  return weight.enough ? (weight.met ? 'met' : 'not met') : 'short';
}
const share = (value: number, confidence: readonly [number, number] = [value, value]) => ({
  value,
  confidence,
});
const run = (attack: string, options: AttackRun['options'] = {}): AttackRun => ({ attack, options });

describe('a scan', () => {
  const says = (line: string, ...verdicts: string[]) =>
    worth(line, ...verdicts.map((verdict) => ({ kind: 'scan', verdict }) as const));

  it('must be clean', () => {
    expect(says('{ require: scan }', 'clean')).toBe('met');
    for (const verdict of ['suspicious', 'malicious', 'unreadable', 'a new word'])
      expect(says('{ require: scan }', verdict)).toBe('not met');
  });

  it('may be suspicious where the policy accepts that, and nothing else', () => {
    const line = '{ require: scan, accept: [clean, suspicious] }';
    expect(says(line, 'suspicious')).toBe('met');
    expect(says(line, 'unreadable')).toBe('not met');
    expect(says(line, 'clean', 'malicious')).toBe('not met');
  });
});

describe('a search for secrets', () => {
  const says = (found: number, unread: number) =>
    worth('{ require: secrets }', { kind: 'secrets', found, unread });

  it('must have found none and read all', () => {
    expect(says(0, 0)).toBe('met');
    expect(says(1, 0)).toBe('not met');
    expect(says(0, 1)).toBe('not met');
    expect(says(Number.NaN, 0)).toBe('not met');
  });
});

describe('accuracy', () => {
  const clean = (more: object = {}) =>
    ({
      kind: 'cleanAccuracy',
      accuracy: share(0.9, [0.88, 0.92]),
      samples: 1000,
      data: hex('d'),
      ...more,
    }) as const;

  it('is held against the threshold by the lower end of its interval, or by itself where the policy says so', () => {
    expect(worth('{ require: cleanAccuracy, atLeast: 0.88 }', clean())).toBe('met');
    expect(worth('{ require: cleanAccuracy, atLeast: 0.89 }', clean())).toBe('not met');
    expect(worth('{ require: cleanAccuracy, atLeast: 0.89, bound: point }', clean())).toBe('met');
    expect(worth('{ require: cleanAccuracy, atLeast: 0.91, bound: point }', clean())).toBe('not met');
  });

  it('that is not a number is not met', () => {
    const nan = clean({ accuracy: share(Number.NaN) });
    expect(worth('{ require: cleanAccuracy, atLeast: 0 }', nan)).toBe('not met');
    expect(worth('{ require: cleanAccuracy, atLeast: 0, bound: point }', nan)).toBe('not met');
    const open = clean({ accuracy: share(0.9, [Number.NaN, 1]) });
    expect(worth('{ require: cleanAccuracy, atLeast: 0.1 }', open)).toBe('not met');
  });

  it('must come from enough samples of a data set that counts', () => {
    expect(worth('{ require: cleanAccuracy, atLeast: 0.5, samples: 1001 }', clean())).toBe('short');
    expect(
      worth('{ require: cleanAccuracy, atLeast: 0.5, samples: 1 }', clean({ samples: Number.NaN })),
    ).toBe('short');
    const line = `{ require: cleanAccuracy, atLeast: 0.5, data: ['${hex('d')}'] }`;
    expect(worth(line, clean())).toBe('met');
    expect(worth(line, clean({ data: hex('c') }))).toBe('short');
    expect(worth(line, clean({ data: undefined }))).toBe('short');
  });
});

describe('robust accuracy', () => {
  const line = '{ require: robustAccuracy, threat: noise, atLeast: 0.5 }';

  it('at a larger eps shows that at a smaller one, where balls lie inside each other', () => {
    expect(worth(line, robust({ eps: 16 / 255 }))).toBe('met');
    expect(worth(line, robust({ eps: 4 / 255 }))).toBe('short');
    expect(worth(line, robust({ eps: Number.NaN }))).toBe('short');
    const turn = '{ require: robustAccuracy, threat: turn, atLeast: 0.5 }';
    expect(worth(turn, robust({ norm: 'spatial', eps: 30 }))).toBe('met');
    expect(worth(turn, robust({ norm: 'spatial', eps: 31 }))).toBe('short');
  });

  it('is read at the nearest eps, and at its worst there', () => {
    const low = share(0.1);
    expect(worth(line, robust(), robust({ eps: 16 / 255, accuracy: low }))).toBe('met');
    expect(worth(line, robust(), robust({ accuracy: low }))).toBe('not met');
    expect(worth(line, robust({ accuracy: low }), robust())).toBe('not met');
  });

  it('counts whole options of attacks as minimums and others as equal', () => {
    const needs = (spec: string, options: AttackRun['options']) =>
      worth(line.replace(' }', `, attacks: ['${spec}'] }`), robust({ attacks: [run('pgd', options)] }));
    expect(needs('pgd(steps=40)', { steps: 41 })).toBe('met');
    expect(needs('pgd(steps=40)', { steps: 39 })).toBe('short');
    expect(needs('pgd(steps=40)', { steps: '41' })).toBe('short');
    expect(needs('pgd(steps=40)', { steps: Number.NaN })).toBe('short');
    expect(needs('pgd(relativeStep=0.1)', { relativeStep: 0.1 })).toBe('met');
    expect(needs('pgd(relativeStep=0.1)', { relativeStep: 0.2 })).toBe('short');
    expect(needs('pgd(toString=1)', {})).toBe('short');
    expect(needs('apgd-ce', {})).toBe('short');
  });

  it('is not met where the policy has lost its threat', () => {
    const policy = policyOf(line);
    expect(weigh(policy.entries[0]!.stages.production![0]!, [robust()], {})).toMatchObject({ met: false });
  });

  it('is not shown by certified accuracy at another threat', () => {
    const proof = {
      kind: 'certifiedAccuracy',
      norm: 'l2',
      eps: 0.5,
      accuracy: share(0.6),
      samples: 100,
    } as const;
    const certified = '{ require: certifiedAccuracy, threat: noise, atLeast: 0.5 }';
    expect(worth(certified, proof)).toBe('short');
    expect(worth(certified, { ...proof, norm: 'linf', eps: 8 / 255 })).toBe('met');
    expect(worth(certified, { ...proof, norm: 'linf', eps: 8 / 255, accuracy: share(0.4) })).toBe('not met');
  });
});

describe('membership inference', () => {
  const line = '{ require: membershipInference, tprAtMost: 0.05, atFpr: 0.001 }';
  const claim = (tpr: number, more: object = {}) =>
    ({
      kind: 'membershipInference',
      attack: run('lira'),
      fpr: 0.001,
      tpr: share(tpr, [tpr / 2, tpr * 2]),
      samples: 2000,
      ...more,
    }) as const;

  it('is held against the threshold by the upper end of its interval, for the best attack', () => {
    expect(worth(line, claim(0.025))).toBe('met');
    expect(worth(line, claim(0.026))).toBe('not met');
    expect(worth(line.replace(' }', ', bound: point }'), claim(0.05))).toBe('met');
    expect(worth(line, claim(0.01), claim(0.2, { attack: run('loss') }))).toBe('not met');
    expect(worth(line, claim(0.2, { attack: run('loss') }), claim(0.01))).toBe('not met');
    expect(worth(line, claim(Number.NaN))).toBe('not met');
  });

  it('is read where as many false alarms are allowed, or more, never fewer', () => {
    expect(worth(line, claim(0.01, { fpr: 0.0001 }))).toBe('short');
    expect(worth(line, claim(0.01, { fpr: 0.01 }))).toBe('met');
    expect(worth(line, claim(0.01), claim(0.9, { fpr: 0.1 }))).toBe('met');
    expect(worth(line, claim(0.01, { fpr: Number.NaN }))).toBe('short');
  });

  it('must come from the attacks and the samples that the policy names', () => {
    expect(worth(line.replace(' }', ', attacks: [lira] }'), claim(0.01))).toBe('met');
    expect(worth(line.replace(' }', ', attacks: [shadow] }'), claim(0.01))).toBe('short');
    expect(worth(line.replace(' }', ', samples: 2001 }'), claim(0.01))).toBe('short');
  });
});

describe('extraction', () => {
  const line = '{ require: extraction, fidelityAtMost: 0.8, queries: 10000 }';
  const claim = (fidelity: number, queries: number, attack = 'knockoff') =>
    ({ kind: 'extraction', attack: run(attack), fidelity: share(fidelity), queries }) as const;

  it('needs a thief with enough questions, and counts a good copy after fewer', () => {
    expect(worth(line, claim(0.7, 10_000))).toBe('met');
    expect(worth(line, claim(0.81, 10_000))).toBe('not met');
    expect(worth(line, claim(0.7, 9999))).toBe('short');
    expect(worth(line, claim(0.7, 10_000), claim(0.95, 100))).toBe('not met');
    expect(worth(line, claim(0.7, Number.NaN))).toBe('short');
  });

  it('counts named attacks only when they had enough questions', () => {
    const named = line.replace(' }', ', attacks: [jbda] }');
    expect(worth(named, claim(0.7, 10_000, 'jbda'))).toBe('met');
    expect(worth(named, claim(0.7, 10_000), claim(0.1, 5, 'jbda'))).toBe('short');
  });
});

describe('other requirements', () => {
  it('a backdoor search must have come to the verdict that there is none, by every detector', () => {
    const claim = (method: string, verdict: 'none-found' | 'inconclusive' | 'suspected' | 'found') =>
      ({ kind: 'backdoor', method, verdict }) as const;
    expect(worth('{ require: backdoor }', claim('mntd', 'none-found'))).toBe('met');
    for (const verdict of ['inconclusive', 'suspected', 'found'] as const)
      expect(worth('{ require: backdoor }', claim('a', 'none-found'), claim('b', verdict))).toBe('not met');
    expect(worth('{ require: backdoor, methods: [a, b] }', claim('a', 'none-found'))).toBe('short');
  });

  it('private training must keep both epsilon and delta', () => {
    const line = '{ require: privateTraining, epsilonAtMost: 3, deltaAtMost: 1.0e-5 }';
    const says = (epsilon: number, delta: number) => worth(line, { kind: 'privateTraining', epsilon, delta });
    expect(says(3, 1e-5)).toBe('met');
    expect(says(3.01, 1e-5)).toBe('not met');
    expect(says(3, 1.1e-5)).toBe('not met');
    expect(says(Number.NaN, 1e-5)).toBe('not met');
  });

  it('findings must be less grave than the limit; an unknown gravity is as grave as any', () => {
    const says = (...severities: string[]) =>
      worth('{ require: findings, below: high }', { kind: 'findings', severities });
    expect(says()).toBe('met');
    expect(says('medium', 'info')).toBe('met');
    expect(says('high')).toBe('not met');
    expect(says('critical')).toBe('not met');
    expect(says('catastrophic')).toBe('not met');
  });

  it('provenance must name a builder and sources that the policy knows', () => {
    const says = (line: string, builder: string, ...sources: string[]) =>
      worth(line, { kind: 'provenance', builder, sources });
    const line =
      "{ require: provenance, builders: ['https://ci.example/*'], sources: ['git+https://git.example/*'] }";
    expect(says(line, 'https://ci.example/7', 'git+https://git.example/a')).toBe('met');
    expect(says(line, 'https://ci.example.evil/7', 'git+https://git.example/a')).toBe('not met');
    expect(says(line, 'https://ci.example/7', 'git+https://git.example/a', 'https://evil')).toBe('not met');
    expect(says(line, 'https://ci.example/7', 'git+https://git.example/a', '')).toBe('not met');
    expect(says(line, 'https://ci.example/7')).toBe('short');
    expect(says("{ require: provenance, builders: ['a'] }", 'a')).toBe('met');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../policy.fixture.ts';
import { parsePolicy } from '../read-policy.ts';
import { adviceOn, explainPolicy } from '../report/explain.ts';
import { ACCESSES, ATTACKERS, STAKES, type ThreatModel } from './threat-model.ts';
import { writePolicy } from './write-policy.ts';

const base: ThreatModel = {
  attackers: ['outsider'],
  access: ['scores'],
  stakes: ['comfort'],
  norm: 'linf',
  eps: '8/255',
  models: '*',
  signers: { ci: hex('1'), release: hex('2') },
};
const kindsOf = (model: Partial<ThreatModel>, stage = 'production') =>
  parsePolicy(writePolicy({ ...base, ...model })).entries[0]!.stages[stage]!.map(({ require }) => require);

describe('a first policy', () => {
  it('can be read, whatever the answers, and needs no second look', () => {
    const some = <T extends object>(of: T) => fc.subarray(Object.keys(of) as (keyof T)[], { minLength: 1 });
    fc.assert(
      fc.property(
        some(ATTACKERS),
        some(ACCESSES),
        some(STAKES),
        fc.constantFrom('linf', 'l2', 'l1', 'l0'),
        fc.constantFrom('*', "it's *", '# x', 'a: b', '"q"'),
        (attackers, access, stakes, norm, models) => {
          const text = writePolicy({ ...base, attackers, access, stakes, norm, models } as ThreatModel);
          const policy = parsePolicy(text);
          expect(policy.entries[0]!.name).toBe(models);
          expect(adviceOn(policy, 0).filter((each) => !each.includes('small-change'))).toEqual([]);
          expect(text).toContain('AML.T0011.000 User Execution: Unsafe AI Artifacts');
        },
      ),
      { numRuns: 100 },
    );
  });

  it('asks for what the threat model calls for', () => {
    expect(kindsOf({})).toEqual(['signature', 'scan', 'secrets', 'cleanAccuracy', 'robustAccuracy']);
    expect(kindsOf({}, 'candidate')).toEqual(['signature', 'scan', 'secrets', 'cleanAccuracy']);
    expect(kindsOf({ attackers: ['supplier'] })).toEqual(expect.arrayContaining(['backdoor', 'provenance']));
    expect(kindsOf({ attackers: ['insider'], access: ['data'] })).not.toContain('robustAccuracy');
    expect(kindsOf({ stakes: ['privacy'] })).toEqual(
      expect.arrayContaining(['membershipInference', 'privateTraining']),
    );
    expect(kindsOf({ stakes: ['money'] })).toContain('extraction');
    expect(kindsOf({ stakes: ['money'], access: ['model'] })).not.toContain('extraction');
    expect(kindsOf({ stakes: ['safety'] })).toEqual(
      expect.arrayContaining(['robustAccuracy', 'findings', 'provenance', 'statement']),
    );
  });

  it('has a place to fill in for a signer who is not known, and says so', () => {
    const policy = parsePolicy(writePolicy({ ...base, signers: {} }));
    expect(adviceOn(policy, 0)).toEqual([
      expect.stringMatching(/fingerprint of release is still to be filled in/),
      expect.stringMatching(/fingerprint of ci is still to be filled in/),
    ]);
  });
});

describe('advice', () => {
  const now = Date.parse('2026-11-21T00:00:00Z');
  const text = writePolicy(base);
  const exception = (until: string) =>
    text.replace(
      'exceptions: []',
      `exceptions: [{ requirement: scan, model: '*', stage: production, reason: r, owner: o, until: ${until} }]`,
    );

  it('names exceptions that are over or last long, signers and threats without use, stages without a signature', () => {
    expect(adviceOn(parsePolicy(exception('2026-11-20')), now)).toEqual([
      expect.stringMatching(/ended on 2026-11-20/),
    ]);
    expect(adviceOn(parsePolicy(exception('2027-11-01')), now)).toEqual([]);
    expect(adviceOn(parsePolicy(exception('2028-01-01')), now)).toEqual([
      expect.stringMatching(/more than a year/),
    ]);
    const bare = text.replaceAll(/ +- require: signature\n +signers: \[release\]\n/g, '');
    expect(adviceOn(parsePolicy(bare), now)).toEqual([
      expect.stringMatching(/\*, candidate: no signature is required/),
      expect.stringMatching(/\*, production: no signature is required/),
      'the signer release vouches for nothing',
    ]);
    const calm = writePolicy({ ...base, attackers: ['insider'], access: ['data'] });
    expect(adviceOn(parsePolicy(calm), now)).toEqual(['the threat small-change is in no requirement']);
  });
});

it('an explanation says each requirement in a sentence, with taxonomies where they are asked for', () => {
  const policy = parsePolicy(writePolicy(base));
  const plain = explainPolicy(policy, { taxonomy: false });
  expect(plain).toContain(
    '    robustAccuracy: robust accuracy of at least 40 % with 95 % confidence under small-change (linf, eps 0.03137) against autoattack on 500 samples or more, vouched for by ci, at most 90 days old\n',
  );
  expect(plain).not.toContain('AML.');
  expect(explainPolicy(policy, { taxonomy: true })).toContain('      ML01:2023 Input Manipulation Attack\n');
});

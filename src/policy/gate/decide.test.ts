import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Statement } from '../evidence/statement.ts';
import {
  byKey,
  FILE,
  hex,
  measuresOf,
  policyOf,
  policyText,
  question,
  ROOT,
  robust,
  signatureOf,
  statementOf,
} from '../policy.fixture.ts';
import { type Policy, parsePolicy } from '../read-policy.ts';
import { decide } from './decide.ts';
import type { GateQuestion } from './question.ts';

const ROBUST = '{ require: robustAccuracy, threat: noise, atLeast: 0.5 }';
const policy = policyOf(ROBUST);
const good = statementOf(measuresOf([robust()]));

/** The answer to the first requirement. */
function first(statements: readonly Statement[], of: Policy = policy, more: Partial<GateQuestion> = {}) {
  const decision = decide(of, question(statements, more));
  expect(decision.decision === 'let-through').toBe(
    decision.requirements.every(({ state }) => state === 'met' || state === 'excepted'),
  );
  return decision.requirements[0]!;
}
/** State and reject code of the one statement. */
function refusal(statement: Statement, of: Policy = policy, more: Partial<GateQuestion> = {}) {
  const { state, rejected, shownBy } = first([statement], of, more);
  expect(shownBy).toEqual([]);
  return [state, rejected[0]?.code];
}

describe('the gate lets a model through', () => {
  it('on a verified statement about it that answers the requirement, and shows which', () => {
    expect(first([good])).toMatchObject({
      state: 'met',
      why: 'robust accuracy at linf eps 0.03137 on 1000 samples: 60 % (56.9 % to 63.1 %); measured by a test',
      shownBy: [{ file: 'evidence.json', digest: hex('e'), signer: 'ci', time: '2026-11-20T12:00:00.000Z' }],
      rejected: [],
    });
  });

  it('and gives the same answer to the same question', () => {
    const asked = question([good]);
    expect(decide(policy, asked)).toEqual(decide(policy, asked));
  });
});

describe('the gate does not let a model through', () => {
  it('that no entry of the policy fits', () => {
    const other = parsePolicy(policyText([ROBUST]).replace("name: '*'", "name: 'other-*'"));
    expect(first([good], other)).toMatchObject({ id: 'policy', state: 'not-met' });
  });

  it('for a stage that its entries do not have', () => {
    expect(first([good], policy, { stage: 'candidate' })).toMatchObject({ id: 'policy', state: 'not-met' });
    expect(first([good], policy, { stage: 'constructor' })).toMatchObject({ id: 'policy', state: 'not-met' });
  });

  it('whose digest is not the one that an entry names', () => {
    const text = policyText([ROBUST]);
    const pinned = (digest: string) => parsePolicy(text.replace("name: '*'", `digest: ${digest}`));
    expect(first([good], pinned(ROOT)).state).toBe('met');
    expect(first([good], pinned(hex('c')))).toMatchObject({ id: 'policy', state: 'not-met' });
  });

  it('when one of several entries is not met', () => {
    const both = parsePolicy(
      `${policyText([ROBUST])}  - name: 'n*'\n    stages: { production: [{ require: scan }] }\n`,
    );
    const { decision, requirements } = decide(both, question([good]));
    expect([decision, ...requirements.map(({ state }) => state)]).toEqual(['refused', 'met', 'missing']);
  });

  it('on a requirement of a kind that it does not know', () => {
    const entry = policy.entries[0]!;
    const unknown = { ...entry.stages.production![0]!, require: 'toString' } as never;
    const strange: Policy = { ...policy, entries: [{ ...entry, stages: { production: [unknown] } }] };
    expect(first([good], strange)).toMatchObject({ state: 'not-met', why: 'nothing can show it' });
  });

  it('without any statement', () => {
    expect(first([])).toMatchObject({ state: 'missing', rejected: [] });
  });

  it('on a statement whose envelope was not verified', () => {
    const forged = { ...good, check: { verified: false, reason: 'no trusted key fits' } } as const;
    expect(first([forged]).state).toBe('missing');
    expect(decide(policy, question([forged])).ignored).toEqual([
      { file: 'evidence.json', why: 'not verified: no trusted key fits' },
    ]);
    // The gate itself looks, too: a reading must not be enough.
    const [read] = question([good]).evidence;
    const smuggled = [{ ...read!, statement: forged }];
    expect(first([], policy, { evidence: smuggled }).state).toBe('missing');
    expect(decide(policy, question([], { evidence: smuggled })).ignored).toHaveLength(1);
  });

  it('on a statement about another model', () => {
    const other = { ...good, subjects: [hex('c')] };
    expect(first([other]).state).toBe('missing');
    expect(decide(policy, question([other])).ignored[0]!.why).toBe('it is about another model');
    expect(first([{ ...good, subjects: [] }]).state).toBe('missing');
  });

  it('on a verified statement that cannot be read', () => {
    for (const document of [
      measuresOf([robust({ samples: Number.NaN })]),
      measuresOf([robust({ accuracy: { value: 0.9, confidence: [0.1, 0.2] } })]),
      measuresOf([], {}),
      measuresOf([robust()], { finishedAt: 'yesterday' }),
      { ...measuresOf([robust()]), schema: 'glacis.measures/2' },
    ]) {
      const broken = statementOf(document);
      expect(first([broken]).state).toBe('missing');
      expect(decide(policy, question([broken])).ignored[0]!.why).toMatch(/^verified, but it cannot be read/);
    }
  });

  it('on the word of a trusted signer whom the requirement does not name', () => {
    expect(refusal({ ...good, check: { verified: true, by: byKey('release') } })).toEqual([
      'not-met',
      'signer',
    ]);
    expect(refusal({ ...good, check: { verified: true, by: byKey('stranger') } })).toEqual([
      'not-met',
      'signer',
    ]);
  });

  it('on a scan that did not look at every file of the model', () => {
    const scan = (digests: readonly string[], finishedAt = '2026-11-20T12:00:00Z') =>
      statementOf({
        result: {
          schema: 'glacis.scan/1',
          verdict: 'clean',
          files: [{ verdict: 'clean' }],
          finishedAt,
          model: { digest: hex('9'), digests },
        },
      });
    const decided = (digests: readonly string[], finishedAt?: string) => {
      const model = { name: 'net', roots: [ROOT], files: [FILE, hex('c')] };
      const policy = policyOf('{ require: scan }');
      const [answer] = decide(policy, question([scan(digests, finishedAt)], { model })).requirements;
      return answer?.rejected[0]?.code ?? answer?.state;
    };
    expect(decided([FILE, hex('c'), hex('d')])).toBe('met');
    expect(decided([ROOT])).toBe('met');
    expect(decided([FILE])).toBe('other-file');
    // How old it is, is how long ago it ran, whenever somebody signed it.
    expect(decided([ROOT], '2026-01-01T00:00:00Z')).toBe('stale');
  });

  it('on a document that looked at another file than those of the model', () => {
    const other = statementOf(measuresOf([robust()], { model: { digest: hex('c') } }));
    expect(refusal(other)).toEqual(['not-met', 'other-file']);
    expect(first([statementOf(measuresOf([robust()], { model: { digest: FILE } }))]).state).toBe('met');
  });

  it('on a statement from the future, which is also how a clock that was set back shows', () => {
    expect(first([good], policy, { now: Date.parse('2026-11-20T11:56:00Z') }).state).toBe('met');
    expect(refusal(good, policy, { now: Date.parse('2026-11-20T11:54:00Z') })).toEqual(['not-met', 'future']);
  });

  it('on a statement that is too old', () => {
    expect(first([good], policy, { now: Date.parse('2027-02-18T12:00:00Z') }).state).toBe('met');
    expect(refusal(good, policy, { now: Date.parse('2027-02-18T12:00:01Z') })).toEqual(['not-met', 'stale']);
  });

  it('on a statement without a time, unless any age will do', () => {
    const type = 'https://example.com/review';
    const review = statementOf({ by: 'Ann' }, { predicateType: type });
    const asked = (age: string) => policyOf(`{ require: statement, predicateType: '${type}'${age} }`);
    expect(refusal(review, asked(''))).toEqual(['not-met', 'undated']);
    expect(first([review], asked(', fresh: any age')).state).toBe('met');
  });

  it('on a verification summary that says no', () => {
    const type = 'https://slsa.dev/verification_summary/v1';
    const asked = policyOf(`{ require: statement, predicateType: '${type}' }`);
    const says = (verificationResult: string) =>
      statementOf({ verificationResult, timeVerified: '2026-11-20T00:00:00Z' }, { predicateType: type });
    expect(first([says('PASSED')], asked).state).toBe('met');
    expect(first([says('FAILED')], asked).state).toBe('not-met');
    expect(first([says('passed')], asked).state).toBe('not-met');
  });

  it('when its clock is no number', () => {
    const asked = question([good]);
    expect(() => decide(policy, { ...asked, now: Number.NaN })).toThrow(RangeError);
  });

  it('on evidence that does not answer the question', () => {
    const asked = policyOf(ROBUST.replace(' }', ', samples: 1000, attacks: ["pgd(steps=40)"] }'));
    const says = (more: Parameters<typeof robust>[0]) =>
      refusal(statementOf(measuresOf([robust(more)])), asked);
    expect(first([good], asked).state).toBe('met');
    expect(says({ samples: 999 })).toEqual(['not-met', 'insufficient']);
    expect(says({ norm: 'l2' })).toEqual(['not-met', 'insufficient']);
    expect(says({ eps: 7 / 255 })).toEqual(['not-met', 'insufficient']);
    expect(says({ attacks: [{ attack: 'fgsm', options: { steps: 99 } }] })).toEqual([
      'not-met',
      'insufficient',
    ]);
    expect(says({ attacks: [{ attack: 'pgd', options: { steps: 39 } }] })).toEqual([
      'not-met',
      'insufficient',
    ]);
    expect(says({ attacks: [{ attack: 'pgd', options: {} }] })).toEqual(['not-met', 'insufficient']);
  });
});

describe('of several statements', () => {
  const at = (finishedAt: string, value: number, file: string) =>
    statementOf(
      measuresOf([robust({ accuracy: { value, confidence: [value - 0.03, value + 0.03] } })], { finishedAt }),
      { file },
    );
  const old = '2026-11-01T00:00:00Z';
  const young = '2026-11-20T00:00:00Z';

  it('the newest decides, whatever their order', () => {
    const [better, worse] = [at(old, 0.9, 'old'), at(young, 0.1, 'young')];
    expect(first([better, worse])).toMatchObject({ state: 'not-met', shownBy: [{ file: 'young' }] });
    expect(first([worse, better])).toMatchObject({ state: 'not-met', shownBy: [{ file: 'young' }] });
    expect(first([at(old, 0.1, 'old'), at(young, 0.9, 'young')]).state).toBe('met');
  });

  it('of one time, the worse one decides', () => {
    const both = [at(young, 0.9, 'good'), at(young, 0.1, 'bad')];
    expect(first(both)).toMatchObject({ state: 'not-met', shownBy: [{ file: 'bad' }] });
    expect(first(both.toReversed())).toMatchObject({ state: 'not-met', shownBy: [{ file: 'bad' }] });
  });

  it('one that does not count does not hide one that does', () => {
    const forged = { ...at(young, 0.1, 'forged'), check: { verified: false, reason: 'x' } } as const;
    expect(first([forged, at(old, 0.9, 'old')]).state).toBe('met');
  });
});

describe('signatures of the model', () => {
  const two = policyOf('{ require: signature, signers: [release, ci] }');
  const one = policyOf('{ require: signature, signers: [release, ci], atLeast: 1 }');
  const quantum = policyOf('{ require: signature, signers: [release], postQuantum: true }');
  const state = (of: Policy, ...made: Statement[]) => first(made, of).state;

  it('must be those of k of the n that are named', () => {
    expect(state(two, signatureOf('release'), signatureOf('ci'))).toBe('met');
    expect(state(two, signatureOf('release'))).toBe('not-met');
    expect(state(one, signatureOf('ci'))).toBe('met');
    expect(state(one)).toBe('missing');
  });

  it('count once a signer', () => {
    expect(state(two, signatureOf('ci'), signatureOf('ci', { file: 'again' }))).toBe('not-met');
  });

  it('of strangers do not count', () => {
    expect(first([signatureOf('stranger')], one)).toMatchObject({
      state: 'not-met',
      rejected: [{ file: 'stranger.sig', code: 'signer' }],
    });
  });

  it('must be verified and about this model', () => {
    expect(state(one, signatureOf('ci', { check: { verified: false, reason: 'x' } }))).toBe('missing');
    expect(state(one, signatureOf('ci', { subjects: [hex('c')] }))).toBe('missing');
  });

  it('are statements of that type only', () => {
    expect(state(one, { ...signatureOf('ci'), predicateType: 'https://example.com/approval' })).toBe(
      'missing',
    );
  });

  it('must be doubled by a post-quantum key where the policy asks for it', () => {
    expect(state(quantum, signatureOf('release'))).toBe('not-met');
    expect(state(quantum, signatureOf('quantum'))).toBe('not-met');
    expect(state(quantum, signatureOf('release'), signatureOf('quantum'))).toBe('met');
    expect(first([signatureOf('release'), signatureOf('quantum')], quantum).shownBy).toHaveLength(2);
    const plain = signatureOf('quantum', {
      check: { verified: true, by: { ...byKey('quantum'), postQuantum: false } },
    });
    expect(state(quantum, signatureOf('release'), plain)).toBe('not-met');
  });

  it('by an identity need the authority that the policy names', () => {
    const of = (signer: string) =>
      parsePolicy(
        policyText(['{ require: signature, signers: [bot] }']).replace(
          'signers:\n',
          `signers:\n  bot: ${signer}\n`,
        ),
      );
    const [root, issuer, identity] = [hex('5'), 'https://issuer.example', 'bot@example.com'];
    const certificate = of(`{ certificate: { identity: ${identity}, root: ${root} } }`);
    const sigstore = of(`{ sigstore: { identity: ${identity}, issuer: '${issuer}' } }`);
    const by = (voucher: object) => signatureOf('ci', { check: { verified: true, by: voucher as never } });
    const names = { identities: [identity] };
    expect(state(certificate, by({ method: 'certificate', root, ...names }))).toBe('met');
    expect(state(certificate, by({ method: 'certificate', root: hex('6'), ...names }))).toBe('not-met');
    expect(state(certificate, by({ method: 'certificate', root, identities: ['a'] }))).toBe('not-met');
    expect(state(certificate, by({ method: 'certificate', root }))).toBe('not-met');
    expect(state(certificate, by({ method: 'sigstore', root, ...names }))).toBe('not-met');
    expect(state(sigstore, by({ method: 'sigstore', issuer, ...names }))).toBe('met');
    expect(state(sigstore, by({ method: 'sigstore', issuer: 'https://other', ...names }))).toBe('not-met');
    expect(state(sigstore, by({ method: 'sigstore', issuer, identities: ['a'] }))).toBe('not-met');
    expect(state(sigstore, by({ method: 'certificate', issuer, ...names }))).toBe('not-met');
    expect(state(policyOf('{ require: signature }'), by({ method: 'sigstore', key: hex('2') }))).toBe(
      'not-met',
    );
  });

  it('make known another digest of the model, when a signer of the policy says so about its very files', () => {
    const other = hex('f');
    const scan = statementOf(
      {
        timeCreated: '2026-11-20T00:00:00Z',
        result: { schema: 'glacis.scan/1', verdict: 'clean', files: [{ verdict: 'clean' }] },
      },
      { subjects: [other] },
    );
    const asked = policyOf('{ require: scan }');
    const signed = (name: 'ci' | 'quantum' | 'stranger', more: Partial<Statement> = {}) =>
      signatureOf(name, { subjects: [other], filesMatch: true, ...more });
    expect(state(asked, scan)).toBe('missing');
    expect(state(asked, scan, signed('ci'))).toBe('met');
    expect(state(asked, scan, signed('quantum'))).toBe('met');
    expect(state(asked, scan, signed('stranger'))).toBe('missing');
    expect(state(asked, scan, signatureOf('ci', { subjects: [other] }))).toBe('missing');
    expect(state(asked, scan, signed('ci', { check: { verified: false, reason: 'x' } }))).toBe('missing');
    expect(state(asked, scan, signed('ci', { predicateType: 'https://example.com/x' }))).toBe('missing');
    expect(decide(asked, question([scan, signed('stranger')])).ignored.map(({ why }) => why)).toEqual([
      'it is about another model',
      'a signature of somebody whom the policy does not name',
    ]);
  });

  it('of a signer whom the policy does not have count for nobody', () => {
    const entry = one.entries[0]!;
    const names = [{ ...entry.stages.production![0]!, signers: ['constructor'] }];
    const strange: Policy = { ...one, entries: [{ ...entry, stages: { production: names } }] };
    expect(state(strange, signatureOf('ci'))).toBe('not-met');
  });
});

describe('an exception', () => {
  const exception = (more = '', model = "'*'") =>
    parsePolicy(
      policyText(
        [ROBUST],
        `exceptions:\n  - { requirement: robustAccuracy, model: ${model}, stage: production, reason: hardening runs, owner: Ann, until: 2026-11-30 }\n${more}`,
      ),
    );

  it('lets a requirement stand back until its last day is over', () => {
    expect(first([], exception())).toMatchObject({
      state: 'excepted',
      otherwise: 'missing',
      exception: { reason: 'hardening runs', owner: 'Ann', until: '2026-11-30' },
    });
    expect(first([], exception(), { now: Date.parse('2026-11-30T23:59:59Z') }).state).toBe('excepted');
    expect(first([], exception(), { now: Date.parse('2026-12-01T00:00:00Z') })).toMatchObject({
      state: 'missing',
      why: expect.stringContaining('the exception of Ann ended on 2026-11-30'),
    });
  });

  it('changes nothing about a requirement that is met', () => {
    expect(first([good], exception())).toMatchObject({ state: 'met' });
    expect(first([good], exception()).exception).toBeUndefined();
  });

  it('holds for its model only, by name or by digest', () => {
    expect(first([], exception('', "'net'")).state).toBe('excepted');
    expect(first([], exception('', "'other'")).state).toBe('missing');
    expect(first([], exception('', ROOT)).state).toBe('excepted');
    expect(first([], exception('', hex('c'))).state).toBe('missing');
  });

  it('holds for its stage and its requirement only', () => {
    const more = `  - name: 'net'\n    stages: { candidate: [{ require: scan, id: robustAccuracy }], production: [{ require: scan }] }\n`;
    const text = policyText([ROBUST], more).concat(
      "exceptions:\n  - { requirement: robustAccuracy, model: '*', stage: production, reason: r, owner: o, until: 2026-11-30 }\n",
    );
    const both = parsePolicy(text);
    expect(decide(both, question([])).requirements.map(({ state }) => state)).toEqual([
      'excepted',
      'missing',
    ]);
    expect(first([], both, { stage: 'candidate' }).state).toBe('missing');
  });
});

describe('whatever a verified statement holds', () => {
  it('is an answer and no crash, and lets nothing through that has no claim', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('result', 'measures', 'schema'),
        (value, key) => {
          for (const predicate of [value, { [key]: value }, { ...measuresOf([robust()]), [key]: value }]) {
            const { state } = first([statementOf(predicate)]);
            expect(['missing', 'not-met', 'met']).toContain(state);
          }
          expect(first([statementOf(value)]).state).not.toBe('met');
        },
      ),
      { numRuns: 200 },
    );
  });
});

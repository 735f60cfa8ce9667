import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { hex, KEYS, policyOf, policyText } from './policy.fixture.ts';
import { parsePolicy } from './read-policy.ts';

/** The message of the error that a text gives. */
function problemOf(text: string): string {
  try {
    parsePolicy(text, 'p.yaml');
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(GlacisError);
    expect((thrown as GlacisError).code).toBe('policy/invalid');
    return (thrown as GlacisError).message;
  }
  return 'no error';
}
const withRequirement = (line: string) => problemOf(policyText([line]));

describe('a policy', () => {
  it('is read with its defaults filled in, fractions as numbers and lengths of time as milliseconds', () => {
    const policy = policyOf('{ require: robustAccuracy, threat: noise, atLeast: 0.45, fresh: 2 weeks }');
    expect(policy.threats.noise).toEqual({ norm: 'linf', eps: 8 / 255 });
    expect(policy.entries[0]!.stages.production).toEqual([
      {
        require: 'robustAccuracy',
        id: 'robustAccuracy',
        threat: 'noise',
        atLeast: 0.45,
        bound: 'confidence',
        signers: ['ci'],
        fresh: 14 * 86_400_000,
      },
    ]);
  });

  it('may say that evidence never ages, but has to say it', () => {
    expect(policyOf('{ require: scan, fresh: any age }').entries[0]!.stages.production![0]!.fresh).toBe(
      Number.POSITIVE_INFINITY,
    );
    const silent = policyText(['{ require: scan }']).replace(', fresh: 90 days', '');
    expect(problemOf(silent)).toMatch(/production\[0\]: expected fresh here or under defaults/);
  });

  it('has to say who may vouch', () => {
    const silent = policyText(['{ require: scan }']).replace('signers: [ci], ', '');
    expect(problemOf(silent)).toMatch(/expected signers here or under defaults/);
  });

  it('names line, column and path, and the nearest key, kind or name', () => {
    expect(withRequirement('{ require: scan, fresk: 3 days }')).toMatch(
      /^p\.yaml:13:11: models\[0\]\.stages\.production\[0\]: there is no key 'fresk' here \(did you mean 'fresh'\?\)/,
    );
    expect(withRequirement('{ require: scam }')).toContain("did you mean 'scan'?");
    expect(withRequirement('{ require: scan, signers: [cj] }')).toContain("did you mean 'ci'?");
    expect(withRequirement('{ require: robustAccuracy, threat: noize, atLeast: 0.4 }')).toContain(
      "did you mean 'noise'?",
    );
  });

  it.each([
    ['{ require: cleanAccuracy, atLeast: 1.5 }', /atLeast: expected a number between 0 and 1, got 1\.5/],
    ['{ require: cleanAccuracy, atLeast: .nan }', /atLeast: expected a number between 0 and 1, got NaN/],
    ['{ require: cleanAccuracy, atLeast: .inf }', /atLeast: expected a number between 0 and 1, got Infinity/],
    ['{ require: cleanAccuracy, atLeast: "0.5" }', /atLeast: expected a number between 0 and 1, got '0\.5'/],
    ['{ require: cleanAccuracy }', /atLeast: expected a number between 0 and 1, got nothing/],
    ['{ require: scan, accept: [malicious] }', /never let through/],
    ['{ require: scan, accept: [] }', /at least one entry/],
    ['{ require: scan, fresh: 3 }', /expected a length of time/],
    ['{ require: scan, fresh: 0 days }', /expected a length of time/],
    ['{ require: membershipInference, tprAtMost: 0.1, atFpr: 0 }', /above 0/],
    ['{ require: signature, signers: [ci], atLeast: 2 }', /expected at most the 1 that signers names/],
    ['{ require: signature, signers: [ci, ci] }', /without an entry twice/],
    ['{ require: signature, signers: [ci], postQuantum: true }', /expected a postQuantumKey/],
    ['{ require: signature, postQuantum: yes }', /true or false/],
    ['{ require: robustAccuracy, threat: noise, atLeast: 0.4, attacks: ["pgd(steps"] }', /an attack such as/],
  ])('refuses %s', (line, problem) => {
    expect(withRequirement(line)).toMatch(problem);
  });

  it('refuses two requirements of one name, and an empty stage', () => {
    expect(problemOf(policyText(['{ require: scan }', '{ require: scan, fresh: 1 day }']))).toMatch(
      /'scan' a second time/,
    );
    expect(problemOf(policyText(['{ require: scan }', '{ require: scan, id: again }']))).toBe('no error');
    expect(problemOf(policyText([]))).toMatch(/production: expected a list/);
  });

  it('refuses one key under two names, so that nobody counts twice', () => {
    const twice = policyText(['{ require: scan }']).replace(KEYS.ci, KEYS.release);
    expect(problemOf(twice)).toMatch(/one person would count twice/);
    const quantum = policyText(['{ require: scan }']).replace(KEYS.ci, KEYS.quantum);
    expect(problemOf(quantum)).toMatch(/one person would count twice/);
  });

  it('refuses a signer of no kind or of two, and an entry without exactly one of name and digest', () => {
    const text = policyText(['{ require: scan }']);
    expect(problemOf(text.replace(`key: ${KEYS.ci}`, ''))).toMatch(/one of key, certificate and sigstore/);
    const two = `key: ${KEYS.ci}, sigstore: { identity: a, issuer: b }`;
    expect(problemOf(text.replace(`key: ${KEYS.ci}`, two))).toMatch(/one of key, certificate and sigstore/);
    expect(problemOf(text.replace("name: '*'", `name: '*'\n    digest: ${hex('c')}`))).toMatch(
      /one of name and digest/,
    );
  });

  it('refuses an exception that leads nowhere or ends on no day', () => {
    const exception = (requirement: string, stage: string, until: string) =>
      problemOf(
        policyText(
          ['{ require: scan }'],
          `exceptions:\n  - { requirement: ${requirement}, model: '*', stage: ${stage}, reason: r, owner: o, until: ${until} }\n`,
        ),
      );
    expect(exception('scan', 'production', '2027-01-31')).toBe('no error');
    expect(exception('scn', 'production', '2027-01-31')).toContain("did you mean 'scan'?");
    expect(exception('scan', 'prodution', '2027-01-31')).toContain("did you mean 'production'?");
    expect(exception('scan', 'production', '2027-02-30')).toMatch(/a day of the calendar/);
    expect(exception('scan', 'production', 'never')).toMatch(/a day such as/);
  });
});

describe('the text of a policy', () => {
  const text = policyText(['{ require: scan }']);

  it.each([
    ['an anchor', text.replace('[ci]', '&x [ci]'), /no anchors/],
    ['an alias', `${text}other: *x\n`, /no aliases/],
    ['a tag', text.replace('[ci]', '!!seq [ci]'), /no tags/],
    ['a directive', `%YAML 1.2\n---\n${text}`, /no directives/],
    ['a second document', `${text}---\n${text}`, /one document/],
    ['a key twice', text.replace('  ci:', '  release:'), /unique/],
    ['a key that is no text', `${text}? [a]\n: b\n`, /keys must be strings/],
    ['the key __proto__', `${text}__proto__: {}\n`, /expected a key/],
    ['control characters', `${text}# \u0007\n`, /control characters/],
    ['another version', text.replace('policy/1', 'policy/2'), /expected "glacis\.policy\/1"/],
    ['an unknown key', `${text}model: []\n`, /did you mean 'models'\?/],
    ['nothing', '', /expected a map/],
  ])('is refused with %s', (_, given, problem) => {
    expect(problemOf(given)).toMatch(problem);
  });

  it.each([
    ['too long', `# ${'x'.repeat(300_000)}`, /at most 262144 characters/],
    ['lists in lists', '['.repeat(100_000), /at most 12 levels/],
    ['maps in maps', '{a: '.repeat(60_000), /at most 12 levels/],
    ['lists in lists without brackets', '- '.repeat(100_000), /at most 12 levels/],
    ['explicit keys', '? '.repeat(100_000), /at most 12 levels/],
    [
      'levels by indentation',
      Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /columns of indentation/,
    ],
    ['many values', `a: [${'1,'.repeat(30_000)}]`, /at most 20000 values/],
  ])('is refused before it costs anything: %s', (_, given, problem) => {
    expect(problemOf(given)).toMatch(problem);
  });

  it('may mark a block of text that looks like an alias or an anchor', () => {
    expect(problemOf(`${text}# *a &b\n`)).toBe('no error');
    expect(problemOf(text.replace('require: scan', 'require: scan, id: "&x"'))).toMatch(/a name of letters/);
  });

  it('gives a policy or policy/invalid, whatever it is', () => {
    const pieces = fc.constantFrom(
      ...text.split(/(\s+|[:,{}[\]])/),
      ...[
        '&a',
        '*a',
        '!!map',
        '---',
        '...',
        '|',
        '>',
        '? ',
        '- ',
        '\t',
        '"',
        "'",
        '#',
        '%',
        '\u2028',
        '\ud800',
        '<<: ',
      ],
    );
    const mutated = fc
      .tuple(fc.nat(text.length), fc.nat(40), fc.array(pieces, { maxLength: 6 }))
      .map(([at, cut, put]) => text.slice(0, at) + put.join('') + text.slice(at + cut));
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.array(pieces, { maxLength: 60 }).map((all) => all.join('')),
        ),
        (given) => {
          problemOf(given);
        },
      ),
      { numRuns: 400 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../../core/error.ts';
import { RIGHTS_SCHEMA } from '../rights-schema.ts';
import { tooInvolved } from './complexity.ts';
import { freshCedar } from './engine.ts';
import { readPolicies } from './read-policies.ts';

const cedar = freshCedar();
const read = (text: string) => readPolicies(cedar, RIGHTS_SCHEMA, [{ name: 'a.cedar', text }]);

describe('policies', () => {
  it.each([
    ['a misspelt word', 'permit (principal, action, resource)\nwenn { true };', ':2:1: failed to parse'],
    [
      'two mistakes',
      'permit (principal, action, resource) // a\nwhen { 1 == 1 }\n\npermit (principal, action, resource)',
      ':4:8: ',
    ],
    [
      'an unknown action',
      '// ä\npermit (principal, action == Action::"load", resource);',
      'unrecognized action `Action::"load"`',
    ],
    ['an unknown type', 'permit (principal == User::"a", action, resource);', 'User'],
    ['a template', 'permit (principal == ?principal, action, resource);', 'template'],
    ['a prohibition of nothing', 'forbid (principal, action, resource) when { 1 == 2 };', 'impossible'],
    ['letters of two scripts', 'forbid (principal == Principal::"аnn", action, resource);', 'mixed scripts'],
    [
      'text that runs backwards',
      'forbid (principal, action, resource) when { principal.kind == "a\u202eb" };',
      'BIDI',
    ],
    [
      'an address that is none',
      'permit (principal, action, resource) when { context.address.isInRange(ip("10.0.0/8")) };',
      ':1:71: ',
    ],
    [
      'one id twice',
      '@id("a") permit (principal, action, resource);@id("a") permit (principal, action, resource);',
      "'a' twice",
    ],
    ['an id that breaks lines', '@id("a\\nb") permit (principal, action, resource);', ':1: expected an id'],
    ['nothing', '// nobody', 'expected at least one policy'],
    [
      'a right on the management side',
      'permit (principal, action == Action::"keys.create", resource);',
      'unrecognized action',
    ],
  ])('with %s are refused', (_, text, message) => {
    const refused = { code: 'policy/invalid', message: expect.stringContaining(message) };
    expect(() => read(text)).toThrow(expect.objectContaining(refused));
  });

  it('are in the order of their text, under their own ids or the lines they begin at', () => {
    const text = Array.from(
      { length: 12 },
      (_, i) => `${i % 2 === 0 ? `@id("p${i}")` : '// ä'}\npermit (principal, action, resource);\n`,
    ).join('');
    expect(read(text).map(({ id }) => id)).toEqual(
      Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? `p${i}` : `a.cedar:${2 * i + 2}`)),
    );
  });

  it('or an error, whatever the text, and the library works after that', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }).filter((text) => text.isWellFormed()),
      fc.constantFrom(
        ...[
          'permit',
          'forbid',
          '(',
          ')',
          '{',
          '}',
          'principal',
          ', action, resource',
          ';',
          'when',
          '"',
          '//',
          '\n',
          '@id("a")',
          '::',
          'if',
          '!',
          '-',
          '.',
          '?principal',
          'ip("1")',
        ],
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          read(pieces.join(' '));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
        }
      }),
      { numRuns: 40 },
    );
    expect(read('permit (principal, action, resource);')).toHaveLength(1);
  });
});

describe('a policy that is too involved', () => {
  const problems = (text: string) => tooInvolved({ name: 'a', text }).map((each) => each.slice(0, 4));

  it('is named by its line, once, and others are not', () => {
    const deep = `permit (principal, action, resource) when { ${'('.repeat(30)}true${')'.repeat(30)} };`;
    expect(
      problems(
        `permit (principal, action, resource);\n${deep}\npermit (principal, action, resource);\n${deep}`,
      ),
    ).toEqual(['a:2:', 'a:4:']);
  });

  it('is so with many operators in one policy, not with as many in several', () => {
    const policy = (n: number) =>
      `permit (principal, action, resource) when { ${Array(n).fill('principal.scoped').join(' || ')} };\n`;
    expect(problems(policy(45))).toEqual(['a:1:']);
    expect(problems(policy(35).repeat(20))).toEqual([]);
    expect(read(policy(35))).toHaveLength(1);
  });

  it('is counted without what stands in texts and comments', () => {
    const noise = '((((&&||'.repeat(50);
    expect(
      problems(`permit (principal, action, resource) // ${noise}\nwhen { "${noise}\\"${noise}" == "" };`),
    ).toEqual([]);
    expect(problems(`permit (principal, action, resource) when { "\\\\" == ${noise} };`)).toEqual(['a:1:']);
  });

  it('is found in a long text in linear time', () => {
    expect(problems('(;'.repeat(400_000))).toEqual([]);
    expect(problems(`${'"'.repeat(99_999)}${'('.repeat(400_000)}`)).toEqual(['a:1:']);
  });
});

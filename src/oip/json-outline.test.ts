import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Source } from './fault.ts';
import { checkOutline } from './json-outline.ts';

const source: Source = { where: 'request', code: 'request/invalid' };
const check = (text: string) => checkOutline(Buffer.from(text), source);

describe('the outline of JSON', () => {
  it('may be anything of sensible size', () =>
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => check(JSON.stringify(value, null, 1)))));

  it('does not take what stands in texts for structure', () => {
    const text = JSON.stringify({ a: '['.repeat(100), 'b"': `\\"${'{'.repeat(100)}\\`, 'c\\': '\\\\"[[' });
    check(`[${text}, ${JSON.stringify('"'.repeat(1000))}]`);
    expect(() => check(`["\\\\", ${'['.repeat(64)}`)).toThrow(/deep/);
    expect(() => check(`["\\"", ${'['.repeat(64)}`)).toThrow(/deep/);
    check(`["\\\\\\", ${'['.repeat(64)}`);
    check('"no end');
  });

  it('has at most 64 levels, 2²⁰ lists and objects, and 2¹⁸ texts', () => {
    check('['.repeat(64) + ']'.repeat(64));
    expect(() => check('['.repeat(65))).toThrow(/at most 64 deep/);
    expect(() => check('{"a":'.repeat(65))).toThrow(/at most 64 deep/);
    check(`[${'[],'.repeat(2 ** 20 - 1)}`);
    expect(() => check(`[${'[],'.repeat(2 ** 20)}`)).toThrow(/lists and objects/);
    expect(() => check(`[${'{},'.repeat(2 ** 20)}`)).toThrow(/lists and objects/);
    check('"",'.repeat(2 ** 18));
    expect(() => check('"",'.repeat(2 ** 18 + 1))).toThrow(/texts/);
  });

  it('says the same of a text whether it has few signs or many', () => {
    const sign = fc.constantFrom('[', ']', '{', '}', '"', '\\', '1', ',', ' ');
    const texts = fc.array(fc.tuple(sign, fc.integer({ min: 1, max: 40 })), { maxLength: 30 });
    fc.assert(
      fc.property(texts, (runs) => {
        const text = runs.map(([each, times]) => each.repeat(times)).join('');
        expect(isFound(() => check(text))).toBe(deepest(text) > 64);
        // So long that signs are searched for, and so many that each byte is looked at.
        for (const before of ['0'.repeat(100_000), '"",'.repeat(1100)])
          expect(isFound(() => check(`${before}${text}`))).toBe(deepest(text) > 64);
      }),
    );
  });

  it('ends for every text in time in proportion to its length', () => {
    const quotes = '\\"'.repeat(500_000);
    check(`"${quotes}`);
    check(`"${'\\'.repeat(1_000_000)}"`);
  });
});

function isFound(work: () => void): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

/** How deep lists and objects go, letter by letter. */
function deepest(text: string): number {
  let [depth, most, inText] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (inText && letter === '\\') i++;
    else if (letter === '"') inText = !inText;
    else if (!inText && (letter === '[' || letter === '{')) most = Math.max(most, ++depth);
    else if (!inText && (letter === ']' || letter === '}')) depth--;
  }
  return most;
}

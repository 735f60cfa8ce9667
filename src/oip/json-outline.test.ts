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

  it('ends for every text in time in proportion to its length', () => {
    const quotes = '\\"'.repeat(500_000);
    check(`"${quotes}`);
    check(`"${'\\'.repeat(1_000_000)}"`);
  });
});

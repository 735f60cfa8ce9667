import { describe, expect, it } from 'vitest';
import { matcherOf } from './match.ts';
import { redacted } from './redact.ts';
import { SECRET_RULES } from './rules/registry.ts';
import { SAMPLES, tokenSource } from './tokens.fixture.ts';

const matcher = matcherOf(SECRET_RULES);
const found = (text: string) => matcher.find(text).map(({ rule, secret }) => [rule.id, secret.trim()]);

/** The sample of a rule: its secret, and the text around it. */
function sampleOf(id: string, seed: number): readonly [secret: string, text: string] {
  const [secret, text] = SAMPLES[id]!(tokenSource(seed));
  return [secret, text.replace('%', () => secret)];
}

it('every rule has a sample, and no sample lacks its rule', () => {
  expect(Object.keys(SAMPLES).sort()).toEqual(SECRET_RULES.map(({ id }) => id).sort());
});

it('ids are distinct and every pattern is sticky with indices', () => {
  expect(new Set(SECRET_RULES.map(({ id }) => id)).size).toBe(SECRET_RULES.length);
  for (const { id, pattern } of SECRET_RULES) {
    expect([pattern.sticky, pattern.hasIndices], id).toEqual([true, true]);
    const outsideClasses = pattern.source.replace(/\\./g, '_').replace(/\[[^\]]*\]/g, '_');
    expect(outsideClasses, `${id}: unbounded repetition`).not.toMatch(/[*+]|\{\d+,\}/);
  }
});

describe.each(SECRET_RULES.map(({ id }) => id))('%s', (id) => {
  it('is found whole, by this rule and no other, where it usually stands', () => {
    for (const seed of [1, 2, 3]) {
      const [secret, text] = sampleOf(id, seed);
      expect(found(text), `seed ${seed}`).toEqual([[id, secret]]);
      expect(found(`# a line\n\n${text}\nnext = 1\n`), `seed ${seed}`).toEqual([[id, secret]]);
    }
  });

  it('is not shown whole, nor any part that makes it secret', () => {
    const [secret] = sampleOf(id, 4);
    const rule = SECRET_RULES.find((r) => r.id === id)!;
    const shown = redacted(rule, secret);
    const common = secret.slice(0, rule.shown ?? 0);
    expect(sampleOf(id, 5)[0].startsWith(common)).toBe(true);
    expect(shown.startsWith(`${common}…`)).toBe(true);
    expect(shown.length).toBeLessThan(40);
  });
});

import { describe, expect, it } from 'vitest';
import { CHECKS } from '../assess/reliability/checks/registry.ts';
import { honestFacts } from '../assess/reliability/facts.fixture.ts';
import type { ReliabilityFacts } from '../assess/reliability/facts.ts';
import type { Reliability } from '../assess/reliability/reliability.ts';
import { source } from './markup.ts';
import { reliabilitySection, reliabilitySummary } from './reliability-section.ts';

function reliability(facts: ReliabilityFacts): Reliability {
  const checks = CHECKS.map((check) => check(facts));
  return {
    norm: 'linf',
    eps: 8 / 255,
    samples: 20,
    checks,
    masked: checks.some(({ masking, verdict }) => masking && verdict === 'suspicious'),
    queries: 1200,
    gradientQueries: 800,
    seconds: 2.5,
  };
}

const page = (facts: ReliabilityFacts) => source(reliabilitySection(reliability(facts))!);
const rounding: ReliabilityFacts['obstacles'] = {
  stepped: ['Round'],
  cut: [],
  random: [],
  saturating: [],
};

describe('the section on reliability', () => {
  it('is left out where nothing was looked at', () => {
    expect(reliabilitySection(undefined)).toBeNull();
  });

  it('shows every check with a sign, a word, its evidence and what it asks', () => {
    const html = page(honestFacts());
    expect(html.match(/<li class="check good">/g)).toHaveLength(CHECKS.length);
    expect(html).toContain('<span>holds</span>');
    expect(html).toContain('There is one for all 20 samples.');
    expect(html).toContain('Most attacks walk uphill on the loss.');
    expect(html).toContain('2,000 passes');
    expect(html).toContain('Linf 8/255');
  });

  it('puts suspicions first, and what could not be known last', () => {
    const html = page(honestFacts({ obstacles: rounding, noise: undefined }));
    const order = [...html.matchAll(/<li class="check (\w+)">/g)].map(([, verdict]) => verdict);
    expect(order[0]).toBe('suspicious');
    expect(order.at(-1)).toBe('unknown');
    expect(order.lastIndexOf('suspicious')).toBeLessThan(order.indexOf('good'));
    expect(html).toContain('Round');
  });

  it('escapes what comes from a file', () => {
    const html = page(honestFacts({ obstacles: { ...rounding, stepped: ['<script>'] } }));
    expect(html).not.toContain('<script>');
    expect(html).toContain('&lt;script&gt;');
  });
});

describe('the summary', () => {
  const said = (change: Partial<ReliabilityFacts>) => reliabilitySummary(reliability(honestFacts(change)));

  it('says what the checks add up to', () => {
    expect(said({})).toMatch(/^Nothing was found that hides/);
    expect(said({ obstacles: rounding })).toMatch(/may be far too high/);
    const straightThrough = { ...honestFacts().attacks, straightThrough: true };
    expect(said({ obstacles: rounding, attacks: straightThrough })).toMatch(/went around/);
    const late = honestFacts().paths!.map((path, i) =>
      i < 4 ? { ...path, steps: 150, fellAt: 8 / 255 } : path,
    );
    expect(said({ paths: late })).toMatch(/attacks were too weak/);
  });

  it('counts what could not be checked, and does not call nothing good', () => {
    expect(said({ noise: undefined })).toContain('1 check of 14 could not be made');
    const checks = reliability(honestFacts()).checks.map((check) => ({
      ...check,
      verdict: 'unknown' as const,
    }));
    expect(reliabilitySummary({ checks, masked: false })).toMatch(/is not known/);
  });
});

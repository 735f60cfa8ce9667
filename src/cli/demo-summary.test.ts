import { describe, expect, it } from 'vitest';
import type { AttackedExample } from '../assess/examples.ts';
import { sampleAssessment, sampleResult } from '../assess/result.fixture.ts';
import type { Assessment } from '../assess/result.ts';
import { chooseExamples } from './demo-examples.ts';
import { demoSummary, liveSummary } from './demo-summary.ts';

const picture = Float32Array.of(0);

function example(index: number, eps: number, confidence: number, attack = 'pgd'): AttackedExample {
  const [before, after] = [
    { class: 0, confidence: 0.99 },
    { class: 1, confidence },
  ];
  return { index, label: 0, before, after, clean: picture, adversarial: picture, eps, attack };
}

function summary(robust: number, examples: readonly AttackedExample[] = []): string {
  const results = [0.01, 0.03].flatMap((eps) =>
    ['fgsm', 'pgd'].map((attack) => sampleResult(attack, eps, [eps < 0.02 ? 160 : 200 * robust, 190, 200])),
  );
  const base = sampleAssessment();
  return demoSummary({
    assessment: sampleAssessment({ results, worstCases: [], data: { ...base.data, n: 200 } }),
    examples,
    classNames: ['Stop', 'Yield'],
    bold: (text) => `*${text}*`,
  });
}

describe('demoSummary', () => {
  it('shows each attack at each budget beside the clean accuracy', () => {
    const lines = summary(0.05).split('\n');
    expect(lines).toContain('*How many of 200 pictures the model still reads right*');
    const table = lines.filter((l) => /%/.test(l) && l.startsWith('  '));
    expect(table.map((l) => l.match(/\d+(\.\d)? %/g))).toEqual([
      ['95.0 %', '95.0 %'],
      ['80.0 %', '80.0 %'],
      ['5.0 %', '5.0 %'],
    ]);
    expect(lines.every((l) => l.length <= 82)).toBe(true);
  });

  it.each([
    [0.05, 'The model falls.'],
    [0.2, 'The model gives way.'],
    [0.6, 'The model is weakened'],
    [0.93, 'the model holds against these attacks'],
  ])('calls a robust accuracy of %d what it is', (robust, words) => {
    expect(summary(robust).replaceAll('\n', ' ')).toContain(words);
  });

  it('tells of the smallest change that made the model sure', () => {
    const text = summary(0.05, [example(7, 0.03, 0.999), example(3, 0.01, 0.5), example(9, 0.02, 0.95)]);
    expect(text.replaceAll('\n', ' ')).toContain('For example picture 9: “Stop”');
    const unsure = summary(0.05, [example(3, 0.01, 0.5), example(4, 0.03, 0.6)]);
    expect(unsure).toContain('For example picture 4');
    expect(summary(0.05)).not.toContain('For example');
  });
});

describe('demoSummary of a run that was stopped', () => {
  const text = (more: Partial<Assessment>) =>
    demoSummary({
      assessment: sampleAssessment({
        status: 'partial',
        statusReason: 'stopped by Ctrl-C',
        worstCases: [],
        ...more,
      }),
      examples: [],
      classNames: [],
      bold: (s) => s,
    });

  it('says so, and does not say that the model holds', () => {
    const some = text({ results: [sampleResult('fgsm', 0.01, [190, 190, 200])] });
    expect(some).toContain('Not finished: stopped by Ctrl-C.');
    expect(some).toContain('too little to say');
    expect(some).not.toContain('holds');
  });

  it('shows no table where nothing was measured', () => {
    const none = text({ results: [] });
    expect(none).toContain('nothing is known about the model');
    expect(none).not.toContain('─');
  });
});

describe('where to look', () => {
  it('names the link in any case, and the browser only where it opens there', () => {
    const link = 'http://127.0.0.1:1/console/#link=x';
    const [opened, shown] = [true, false].map((isOpened) => liveSummary(link, isOpened, (s) => s));
    expect([opened, shown].every((text) => text!.includes(`Open      ${link}\n`))).toBe(true);
    expect(opened).toContain('opens in your browser');
    expect(shown).not.toContain('browser');
  });
});

describe('chooseExamples', () => {
  it('takes one attack from every eps in turn, the surest first, each sample once', () => {
    const all = [
      example(1, 0.1, 1, 'fgsm'),
      example(1, 0.1, 1),
      example(2, 0.1, 0.7),
      example(5, 0.1, 0.9),
      example(1, 0.2, 1),
      example(3, 0.2, 1),
    ];
    const chosen = chooseExamples(all, 'pgd', 3);
    expect(chosen.map((e) => [e.attack, e.eps, e.index])).toEqual([
      ['pgd', 0.1, 5],
      ['pgd', 0.2, 1],
      ['pgd', 0.2, 3],
    ]);
    expect(chooseExamples(all, 'pgd', 99)).toHaveLength(4);
    expect(chooseExamples([], 'pgd', 3)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { sampleComparison } from '../../assess/compare/comparison.fixture.ts';
import { renderComparisonText } from './text.ts';

describe('renderComparisonText', () => {
  it('says which models, the headline, every row, every budget, the notes and the tests', () => {
    expect(renderComparisonText(sampleComparison())).toMatchInlineSnapshot(`
      "A  mnist-cnn      sha256:111111111111…  mnist-cnn/assessment.json
      B  mnist-cnn-adv  sha256:222222222222…  mnist-cnn-adv/assessment.json

      B keeps more answers right than A at Linf 0.1.

      B beside A  budget       n       A       B  points  95 % confidence  only A  only B         p  verdict
      ──────────  ─────────  ───  ──────  ──────  ──────  ───────────────  ──────  ──────  ────────  ──────────
      no attack              500  98.6 %  98.2 %    −0.4     −1.8 to +0.9       5       3         1  not shown
      fgsm        Linf 0.1   500  88.4 %  92.8 %    +4.4     +1.8 to +7.2      12      34    0.0082  more right
      pgd         Linf 0.1   500  83.2 %  90.6 %    +7.4    +4.3 to +10.6      14      51  < 0.0001  more right
      worst case  Linf 0.1   500  82.8 %  90.0 %    +7.2    +4.1 to +10.4      14      50  < 0.0001  more right
      fgsm        Linf 0.05  500  94.2 %  95.2 %    +1.0     −1.0 to +3.1       9      14         1  not shown
      pgd         Linf 0.05  500  92.0 %  93.2 %    +1.2     −0.9 to +3.4      10      16         1  not shown
      worst case  Linf 0.05  500  92.0 %  93.0 %    +1.0     −1.1 to +3.1      10      15         1  not shown

      B keeps 7.2 points more answers right than A in the worst case at Linf 0.1 (95 % confidence +4.1
        to +10.4; p < 0.0001).
      No difference is shown between A and B in the worst case at Linf 0.05 (+1.0 points, 95 %
        confidence −1.1 to +3.1; p = 1).

      Note: Seed: 0 in A, 7 in B.
      p: McNemar's exact test on the answers that differ, corrected after Holm for the 7 tests shown;
      intervals are not corrected. "Not shown" is not "equal".
      "
    `);
  });

  it('keeps to the width it is given, tables and models aside', () => {
    const lines = renderComparisonText(sampleComparison(), { width: 60 }).split('\n');
    const prose = lines.filter((line) => /^(B keeps|No difference| {2}|Note|p:)/.test(line));
    expect(prose.length).toBeGreaterThan(5);
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('shows no control characters, whatever a model is called', () => {
    const { models } = sampleComparison();
    const named = models.map((model) => ({ ...model, name: '\x1b[2Jx\r\n\u202ey', file: 'a\x07b' }));
    const text = renderComparisonText(sampleComparison({ models: named, notes: ['\x1b]0;x\x07'] }));
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    expect(text.split('\n')[0]).toContain('A  ');
  });

  it('names no pairs where there are none', () => {
    const { rows } = sampleComparison();
    const unpaired = rows.map((row) => ({
      ...row,
      contrasts: row.contrasts.map(({ pairs: _p, midP: _m, chiSquare: _c, ...rest }) => rest),
    }));
    const text = renderComparisonText(sampleComparison({ paired: false, rows: unpaired }));
    expect(text).not.toContain('only A');
    expect(text).toContain("Fisher's exact test");
  });
});

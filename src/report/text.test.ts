import { describe, expect, it } from 'vitest';
import { sampleAssessment, sampleResult } from '../assess/result.fixture.ts';
import { renderText } from './text.ts';

describe('renderText', () => {
  it('says the verdict, the attacks, the worst case and the findings', () => {
    expect(renderText(sampleAssessment())).toBe(`mnist-cnn-adv  sha256:3f3f3f3f3f3f…

At eps 0.3 (Linf) the model keeps 67.4 % of 1,000 answers.
Before the attack 977 of them were right; the strongest of 2 attacks (pgd) changed 302 of these,
both together 303. The budget means that every input value may move by at most 0.3. With 95 %
confidence these attacks leave 64.4–70.3 % right on data of this kind.

attack      budget     clean  robust  95 % confidence  changed  queries    time
──────────  ────────  ──────  ──────  ───────────────  ───────  ───────  ──────
fgsm        Linf 0.1  97.7 %  93.8 %      92.1–95.2 %       39    3,000  0.12 s
fgsm        Linf 0.2  97.7 %  87.1 %      84.9–89.1 %      106    3,000  0.12 s
fgsm        Linf 0.3  97.7 %  78.9 %      76.2–81.4 %      188    3,000  0.12 s
pgd         Linf 0.1  97.7 %  92.9 %      91.1–94.4 %       48   82,000   4.8 s
pgd         Linf 0.2  97.7 %  82.4 %      79.9–84.7 %      153   82,000   4.8 s
pgd         Linf 0.3  97.7 %  67.5 %      64.5–70.4 %      302   82,000   4.8 s
──────────  ────────  ──────  ──────  ───────────────  ───────  ───────  ──────
worst case  Linf 0.1  97.7 %  92.9 %      91.1–94.4 %       48
worst case  Linf 0.2  97.7 %  82.3 %      79.8–84.6 %      154
worst case  Linf 0.3  97.7 %  67.4 %      64.4–70.3 %      303

Findings
high      A third of the right answers can be changed
          → Train on attacked samples (glacis harden) with the budget that the model must stand.

Robust accuracy is what these attacks left over: a stronger attack may leave less.
`);
  });

  it('lets no name command the terminal or break the table', () => {
    const base = sampleAssessment();
    const text = renderText({
      ...base,
      model: { ...base.model, name: '\u001b[2Jgone\u0007\nverdict: good' },
      results: [sampleResult(`pgd\n\u001b]0;title\u0007${'x'.repeat(100)}`, 0.3, [1, 2, 3])],
      findings: [{ ...base.findings[0]!, title: '\u009b31mred' }],
    });
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text.split('\n')[0]).toContain('gone\ufffd verdict: good  sha256:');
    const row = text.split('\n').find((line) => line.includes('Linf 0.3') && line.includes('246'))!;
    expect(row).toMatch(/^pgd \ufffd\]0;title\ufffdx+… +Linf 0\.3/);
    expect(row.length).toBeLessThan(120);
  });

  it('keeps to the width it is given, table aside', () => {
    const text = renderText(
      sampleAssessment({
        results: [],
        worstCases: [],
        status: 'partial',
        statusReason: 'word '.repeat(60).trim(),
      }),
      { width: 50 },
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(50);
    expect(text).toContain('Not finished: word word');
    expect(text).toContain('No attack was finished');
  });

  it('counts the findings that it does not name', () => {
    const [finding] = sampleAssessment().findings;
    const findings = Array.from({ length: 9 }, () => finding!);
    expect(renderText(sampleAssessment({ findings }))).toContain('and 4 more in the report');
  });
});

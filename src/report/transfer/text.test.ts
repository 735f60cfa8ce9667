import { describe, expect, it } from 'vitest';
import { sampleCell, sampleTransfer } from '../../assess/transfer/result.fixture.ts';
import { renderTransferText } from './text.ts';

describe('renderTransferText', () => {
  it('shows models, headline, matrix, findings and notes', () => {
    expect(renderTransferText(sampleTransfer(), { width: 90 })).toBe(
      `A  first.onnx   sha256:414141414141…  right on 198 of 200
B  second.onnx  sha256:424242424242…  right on 190 of 200
C  service      sha256:434343434343…  right on 195 of 200  answers only

Examples made on B fool C 80.2 % of the time, a change at random of that size 4.3 %.
mi-fgsm(steps=10, decay=1), Linf 0.1: examples that fool the model, of the samples that
both models get right; below, 95 % confidence.

made on           on A         on B         on C
─────────  ───────────  ───────────  ───────────
A             (45.5 %)       50.3 %       10.3 %
           38.4–52.7 %  42.9–57.6 %   6.4–15.5 %
B                2.6 %     (95.3 %)       80.2 %
             0.9–6.1 %  91.2–97.8 %  73.8–85.7 %
at random        1.5 %        5.3 %        4.1 %
             0.3–4.4 %    2.6–9.5 %    1.8–7.9 %
In parentheses: the attack on the model that it was made on.

Findings
high      Examples made on B fool C (service)
          → Harden C itself.

Note: A and B are the same model.
`,
    );
  });

  it('says that it is not finished, and shows what there is', () => {
    const stopped = { status: 'partial', statusReason: 'stopped by Ctrl-C', findings: [] } as const;
    const text = renderTransferText(sampleTransfer({ ...stopped, rows: [] }));
    expect(text).toContain('Not finished: stopped by Ctrl-C');
    expect(text).toContain('No example was tried on another model.');
    expect(text).not.toContain('made on  ');
  });

  it('has a dash where no sample counts, and no noise in l0', () => {
    const { noise: _, rows, ...rest } = sampleTransfer({ norm: 'l0', eps: 5 });
    const empty = rows.map((row) => ({ ...row, cells: row.cells.map(() => sampleCell([0, 0, 0, 0])) }));
    const text = renderTransferText({ ...rest, rows: empty });
    expect(text).toMatch(/^A +\(–\) +– +–$/m);
    expect(text).not.toContain('at random');
  });

  it('lets no name take over the terminal', () => {
    const { models } = sampleTransfer();
    const evil = `x\u001b[31m\u202e${'y'.repeat(200)}\nz`;
    const text = renderTransferText(
      sampleTransfer({ models: models.map((each) => ({ ...each, name: evil })) }),
    );
    for (const sign of ['\u001b', '\u202e']) expect(text).not.toContain(sign);
    expect(
      text
        .split('\n')
        .slice(0, 3)
        .every((line) => line.length < 130),
    ).toBe(true);
  });
});

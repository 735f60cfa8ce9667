import { describe, expect, it } from 'vitest';
import { sampleCell, sampleTransfer } from '../../assess/transfer/result.fixture.ts';
import { renderTransferHtml } from './html.ts';

/** The cells of the first table, row by row, as their text. */
function firstTable(page: string): readonly (readonly string[])[] {
  const body = /<tbody>(.*?)<\/tbody>/s.exec(page)![1]!;
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    ),
  );
}

describe('renderTransferHtml', () => {
  const page = renderTransferHtml(sampleTransfer());

  it('is one page with every section', () => {
    expect(page).toMatch(/^<!doctype html>/);
    for (const heading of ['Whose examples fool whom', 'Findings', 'What ran', 'What this does not say'])
      expect(page).toContain(`<h2>${heading}`);
    expect(page).toContain(
      'Examples made on B fool C 80.2\u00a0% of the time, a change at random of that size 4.3\u00a0%.',
    );
    expect(page).toContain('A and B are the same model.');
  });

  it('shows each share in its place, with its interval, and marks the attack on the model itself', () => {
    const rows = firstTable(page);
    expect(rows.map(([title]) => title)).toEqual([
      'A first.onnx',
      'B second.onnx',
      'at random',
      'clean, right',
    ]);
    expect(rows[1]!.slice(1)).toEqual(['2.6 % 0.9–6.1 %', '95.3 % 91.2–97.8 %', '80.2 % 73.8–85.7 %']);
    expect(
      [...page.matchAll(/class="h\d+[^"]* own"[^>]*title="made on (\w), tried on (\w)/g)].map(
        ([, a, b]) => `${a}${b}`,
      ),
    ).toEqual(['AA', 'BB', 'AA', 'BB']);
  });

  it('runs, loads and sends nothing', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|<object|<form|\son\w+=|javascript:|@import|url\(/i);
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
  });

  it('lets no name become markup', () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const base = sampleTransfer();
    const hostile = renderTransferHtml(
      sampleTransfer({
        models: base.models.map((model) => ({
          ...model,
          label: evil,
          name: evil,
          digest: evil,
          inputs: [{ name: evil, type: evil, shape: [evil] }],
          notes: [evil],
        })),
        data: { ...base.data, description: evil, notes: [evil] },
        attack: { id: evil, options: { [evil]: evil } },
        statusReason: evil,
        status: 'partial',
        command: evil,
        perSample: evil,
        findings: base.findings.map((each) => ({
          ...each,
          id: evil,
          title: evil,
          evidence: evil,
          remedy: evil,
        })),
        notes: [evil],
      }),
    );
    expect(hostile).not.toContain('<script');
    expect(hostile).not.toContain('<img src=x');
  });

  it('shows a matrix that was stopped, with and without rows, and cells without samples', () => {
    const { rows } = sampleTransfer();
    const stopped = { status: 'partial', statusReason: 'stopped by Ctrl-C', findings: [] } as const;
    const part = renderTransferHtml(sampleTransfer({ ...stopped, rows: rows.slice(1) }));
    expect(part).toContain('stopped by Ctrl-C');
    expect(part).toContain('not shown to do more to another than chance');
    const none = renderTransferHtml(sampleTransfer({ ...stopped, rows: [] }));
    expect(none).toContain('No example was tried on another model.');
    expect(none).not.toContain('Whose examples fool whom');
    const empty = rows.map((row) => ({ ...row, cells: row.cells.map(() => sampleCell([0, 0, 0, 0])) }));
    expect(renderTransferHtml(sampleTransfer({ rows: empty }))).not.toContain('NaN');
  });
});

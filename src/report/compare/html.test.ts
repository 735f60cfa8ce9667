import { describe, expect, it } from 'vitest';
import { sampleComparison, sampleRow, sampleRows } from '../../assess/compare/comparison.fixture.ts';
import { source } from '../markup.ts';
import { curves } from './curves.ts';
import { forest, reachOf } from './forest.ts';
import { renderComparisonHtml } from './html.ts';

/** The sample without pairs. */
function unpaired() {
  const { rows } = sampleComparison();
  return sampleComparison({
    paired: false,
    rows: rows.map((row) => ({
      ...row,
      contrasts: row.contrasts.map(({ pairs: _p, midP: _m, chiSquare: _c, ...rest }) => rest),
    })),
  });
}

describe('renderComparisonHtml', () => {
  const page = renderComparisonHtml(sampleComparison());

  it('is one page with every section', () => {
    expect(page).toMatch(/^<!doctype html>/);
    for (const heading of [
      'How accuracy falls',
      'Answer by answer',
      'Attack by attack',
      'Class by class',
      'What was compared',
      'What this does not say',
    ])
      expect(page).toContain(`<h2>${heading}`);
    expect(page).toContain('<h1>B keeps more answers right than A at Linf 0.1.</h1>');
    expect(page).toContain('Seed: 0 in A, 7 in B.');
  });

  it('runs, loads and sends nothing', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|<object|<form|\son\w+=|javascript:|@import|url\(/i);
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!;
    expect(policy).toContain('default-src &#39;none&#39;');
  });

  it('lets no name become markup', () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const base = sampleComparison();
    const hostile = renderComparisonHtml(
      sampleComparison({
        models: base.models.map((model) => ({
          ...model,
          name: evil,
          file: evil,
          digest: evil,
          glacis: evil,
        })),
        classNames: [evil, evil],
        rows: base.rows.map((row) => ({ ...row, attacks: row.attacks.map(() => evil) })),
        notes: [evil],
        glacis: evil,
      }),
    );
    expect(hostile).not.toMatch(/<script|<img/);
    expect(hostile).toContain('&lt;script&gt;');
  });

  it('writes finite numbers only, also where nothing is right or one budget is 0', () => {
    const empty = sampleComparison({
      rows: sampleRows([
        sampleRow({ kind: 'clean', attacks: [] }, [0, 0, 0, 3]),
        sampleRow({ kind: 'attack', attacks: ['fgsm'], norm: 'l2', eps: 0 }, [0, 0, 0, 3]),
      ]),
    });
    for (const each of [page, renderComparisonHtml(empty), renderComparisonHtml(unpaired())])
      expect(each).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  it('shows no pairs where there are none, and says so', () => {
    const without = renderComparisonHtml(unpaired());
    expect(without).not.toContain('Answer by answer');
    expect(without).not.toContain('McNemar');
    expect(without).toContain('unpaired');
  });

  it('draws the four counts as squares whose areas are to scale', () => {
    // At the larger budget: 400 both, 14 only A, 50 only B, 36 neither, of 500.
    const sides = Object.fromEntries(
      [
        ...page.matchAll(
          /<rect class="(both|lost|gained|neither)" x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="\2"/g,
        ),
      ].map((match) => [match[1], Number(match[2])]),
    );
    for (const [kind, count] of [
      ['both', 400],
      ['lost', 14],
      ['gained', 50],
      ['neither', 36],
    ] as const)
      expect(sides[kind]! ** 2 / 96 ** 2).toBeCloseTo(count / 500, 2);
  });

  it('makes every bar as long as the samples are many', () => {
    const bar = /<b>Linf 0\.1<\/b>.*?<svg[^>]*>(.*?)<\/svg>/s.exec(page)![1]!;
    const widths = [...bar.matchAll(/class="(\w+)" x="([\d.]+)"/g)].map((m) => [m[1], Number(m[2])]);
    expect(widths).toEqual([
      ['both', 0],
      ['gained', 80],
      ['lost', 90],
      ['neither', 92.8],
    ]);
  });
});

describe('curves', () => {
  it('take the worst case of each budget, eps rising, from the clean accuracy on', () => {
    const [first, later] = curves(sampleComparison(), 'linf');
    expect(first!.clean).toBe(493 / 500);
    expect(first!.points.map(({ eps, value }) => [eps, value])).toEqual([
      [0.05, 460 / 500],
      [0.1, 414 / 500],
    ]);
    expect(later!.points.map(({ value }) => value)).toEqual([465 / 500, 450 / 500]);
    expect([first!.label, later!.label]).toEqual(['A', 'B']);
  });
});

describe('forest', () => {
  it('puts 0 in the middle and the ends where they belong', () => {
    const svg = source(forest(0.1, [0.05, 0.2], 0.2, 'higher'));
    const [x1, x2] = /class="span" x1="([\d.]+)" x2="([\d.]+)"/.exec(svg)!.slice(1).map(Number) as [
      number,
      number,
    ];
    const dot = Number(/class="dot" cx="([\d.]+)"/.exec(svg)![1]);
    const zero = Number(/class="zero" x1="([\d.]+)"/.exec(svg)![1]);
    expect((dot - zero) / (x2 - zero)).toBeCloseTo(0.5, 2);
    expect((x1 - zero) / (x2 - zero)).toBeCloseTo(0.25, 2);
    expect(svg).toContain('class="forest higher"');
  });

  it('has an axis that holds every interval', () => {
    expect(
      reachOf([
        [-0.3, 0.1],
        [0, 0.2],
      ]),
    ).toBe(0.3);
    expect(reachOf([])).toBe(0.1);
  });
});

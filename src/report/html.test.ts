import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sampleAssessment, sampleResult, sampleWorstCase } from '../assess/result.fixture.ts';
import type { Assessment } from '../assess/result.ts';
import type { FeatureGallery, GalleryItem, ImageGallery } from './gallery.ts';
import { renderHtml } from './html.ts';

const HOSTILE = `</script></style><script>alert(1)</script>"'><img src=x onerror=alert(1)>\`{{7*7}}<style>STYLE</style>$&\u202e`;

function item(index: number, after: number, length = 12): GalleryItem {
  return {
    index,
    label: 1,
    before: { class: 1, confidence: 0.99 },
    after: { class: after, confidence: 0.75 },
    clean: new Float32Array(length).fill(0.5),
    adversarial: new Float32Array(length).fill(0.5).fill(0.6, 0, 4),
    eps: 0.1,
    attack: 'pgd',
  };
}
const images: ImageGallery = { width: 2, height: 2, channels: 3, items: [item(17, 0), item(18, 1)] };
const table: FeatureGallery = { kind: 'table', featureNames: ['area', 'age'], items: [item(4, 0)] };

/** Every text of the assessment that comes from outside, replaced by a hostile one. */
function hostile(): Assessment {
  const base = sampleAssessment();
  const confusion = { classes: 3, cells: [[0, 1, 5] as const, [1, 1, 7] as const] };
  return {
    ...base,
    status: 'partial',
    statusReason: HOSTILE,
    model: {
      name: HOSTILE,
      digest: HOSTILE,
      inputs: [{ name: HOSTILE, type: HOSTILE, shape: [HOSTILE] }],
      outputs: [],
      notes: [HOSTILE],
    },
    data: {
      digest: HOSTILE,
      n: 10,
      description: HOSTILE,
      notes: [HOSTILE],
      classNames: [HOSTILE, HOSTILE, HOSTILE],
    },
    environment: {
      glacis: HOSTILE,
      onnxruntime: HOSTILE,
      node: HOSTILE,
      os: HOSTILE,
      cpu: HOSTILE,
      threads: 1,
      device: HOSTILE,
    },
    command: `glacis --${HOSTILE}`,
    results: [
      sampleResult(HOSTILE, 0.3, [5, 8, 10], {
        options: { [HOSTILE]: HOSTILE, n: [HOSTILE] },
        notes: [HOSTILE],
        perSample: HOSTILE,
      }),
    ],
    worstCases: [sampleWorstCase(0.3, [5, 8, 10], { attacks: [HOSTILE], confusion })],
    findings: [
      {
        id: HOSTILE,
        title: HOSTILE,
        severity: 'high',
        taxonomy: { atlas: [HOSTILE], owasp: [HOSTILE], nist: [HOSTILE] },
        evidence: HOSTILE,
        remedy: HOSTILE,
      },
    ],
  };
}

const VOID = new Set(['meta', 'img', 'br', 'input', 'hr', 'link']);

/** The elements of a page; throws where tags do not nest. */
function elements(page: string): readonly { readonly name: string; readonly attributes: string }[] {
  const open: string[] = [];
  const all: { name: string; attributes: string }[] = [];
  for (const [, end, name, attributes, self] of page.matchAll(
    /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/g,
  )) {
    if (end) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      all.push({ name: name!, attributes: attributes! });
      if (!self && !VOID.has(name!)) open.push(name!);
    }
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`);
  return all;
}

const withoutStyle = (page: string) => page.replace(/<style>[^<]*<\/style>/, '');

describe.each([
  ['a full report', renderHtml(sampleAssessment(), images)],
  ['a report on a table', renderHtml(sampleAssessment(), table)],
  ['a report on a series', renderHtml(sampleAssessment(), { ...table, kind: 'series', channels: 2 })],
  ['a report on nothing', renderHtml(sampleAssessment({ results: [], worstCases: [], findings: [] }))],
  [
    'a report with hostile names',
    renderHtml(hostile(), { ...images, items: [{ ...item(1, 0), attack: HOSTILE }] }),
  ],
  ['a table with hostile names', renderHtml(hostile(), { ...table, featureNames: Array(12).fill(HOSTILE) })],
])('%s', (_, page) => {
  it('nests its tags and has every < accounted for', () => {
    const tags = elements(page);
    expect(withoutStyle(page).match(/</g)?.length).toBe(
      withoutStyle(page).match(/<(\/?[a-zA-Z][\w-]*(\s+[\w:-]+(="[^"<>]*")?)*\s*\/?|!doctype html)>/g)
        ?.length,
    );
    expect(tags.filter((tag) => tag.name === 'style').length).toBe(1);
  });

  it('loads nothing and runs nothing', () => {
    for (const { name, attributes } of elements(page)) {
      expect([
        'script',
        'link',
        'iframe',
        'object',
        'embed',
        'base',
        'form',
        'use',
        'foreignObject',
      ]).not.toContain(name);
      for (const [, key] of attributes.matchAll(/\s([\w:-]+)(?:="[^"]*")?/g)) {
        expect(key).not.toMatch(/^(on\w+|style|href|xlink:href|srcset|action|background)$/i);
      }
      const src = /\ssrc="([^"]*)"/.exec(attributes)?.[1];
      if (src !== undefined) expect(src).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/=]+$/);
    }
    expect(page).not.toMatch(/url\(|@import|https?:\/\//i);
  });

  it('has a policy that allows its own style and data pictures only', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/
      .exec(page)![1]!
      .replaceAll('&#39;', "'");
    const style = /<style>([^<]*)<\/style>/.exec(page)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy).toBe(
      `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<title>'));
  });

  it('writes no value that went missing', () => {
    expect(withoutStyle(page)).not.toMatch(/NaN|undefined|\[object|Infinity/);
  });
});

describe('renderHtml', () => {
  it('shows hostile names as text', () => {
    const page = renderHtml(hostile());
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&lt;/script&gt;&lt;/style&gt;&lt;script&gt;alert(1)');
  });

  it('says the verdict first, with both accuracies', () => {
    const page = renderHtml(sampleAssessment()).replaceAll('\u00a0', ' ');
    expect(page).toContain('<h1>At eps 0.3 (Linf) the model keeps 67.4 % of 1,000 answers.</h1>');
    expect(page).toContain('<span class="figure">97.7 %</span>');
    expect(page).toContain('<span class="figure robust">67.4 %</span>');
    expect(page).toContain('<span class="figure lost">303</span>');
  });

  it('states the magnification and names the classes', () => {
    const page = renderHtml(sampleAssessment(), { ...images, classNames: ['stop', 'yield'] });
    expect(page).toContain('change ×5.0');
    expect(page).toContain('at most 0.1');
    expect(page).toContain('True: <b>yield</b>');
    expect(page).toContain('<b class="wrong">stop</b>');
  });

  it('limits the gallery, and says so', () => {
    const many = { ...images, items: Array.from({ length: 30 }, (_, i) => item(i, 0)) };
    const page = renderHtml(sampleAssessment(), many);
    expect(page.match(/class="card /g)?.length).toBe(24);
    expect(page).toContain('24 of 30 samples are shown.');
  });

  it('refuses a gallery that does not fit, before writing anything', () => {
    expect(() => renderHtml(sampleAssessment(), { ...images, width: 3 })).toThrow('expected 18 values');
  });

  it('lists pairs instead of a grid beyond 20 classes', () => {
    const cells = [[3, 999, 12] as const, [3, 3, 4] as const];
    const worst = sampleWorstCase(0.3, [5, 8, 10], { confusion: { classes: 1000, cells } });
    const page = renderHtml(sampleAssessment({ worstCases: [worst] }));
    expect(page).not.toContain('class="grid-chart');
    expect(page).toMatch(/<b>3<\/b> → <b class="wrong">class 999<\/b>/);
    expect(page.replaceAll('\u00a0', ' ')).toContain('12 samples, 75.0 % of its class');
  });

  it('orders findings by severity', () => {
    const [finding] = sampleAssessment().findings;
    const findings = (['info', 'critical', 'medium'] as const).map((severity) => ({ ...finding!, severity }));
    const order = [...renderHtml(sampleAssessment({ findings })).matchAll(/class="finding (\w+)"/g)].map(
      (m) => m[1],
    );
    expect(order).toEqual(['critical', 'medium', 'info']);
  });

  it('tells how to reproduce, what it ran on and what it does not say', () => {
    const page = renderHtml(sampleAssessment());
    for (const part of [
      'glacis assess mnist-cnn-adv.onnx',
      '3f3f3f',
      'a7a7a7',
      'Example CPU',
      '<dt>seed</dt><dd>7</dd>',
    ]) {
      expect(page).toContain(part);
    }
    expect(page).toContain('What this does not say');
    expect(page).toContain('fgsm, pgd did not change the answers that stayed right, not that no attack can');
  });

  it('is the same file for the same assessment', () => {
    expect(renderHtml(sampleAssessment(), images)).toBe(renderHtml(sampleAssessment(), images));
  });
});

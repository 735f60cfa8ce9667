import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleComparison } from '../../src/assess/compare/comparison.fixture.ts';
import { sampleAssessment } from '../../src/assess/result.fixture.ts';
import { sampleTransfer } from '../../src/assess/transfer/result.fixture.ts';
import { renderComparisonHtml } from '../../src/report/compare/html.ts';
import type { ImageGallery } from '../../src/report/gallery.ts';
import { renderHtml } from '../../src/report/html.ts';
import { renderTransferHtml } from '../../src/report/transfer/html.ts';

/** What the page looks like from inside; a text, because the browser runs it. */
const LOOK = `({
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  pictures: [...document.images].map((image) => image.complete && image.naturalWidth > 0),
  heading: document.querySelector('h1')?.textContent ?? '',
  background: getComputedStyle(document.body).backgroundColor,
})`;

interface Seen {
  readonly overflow: number;
  readonly pictures: readonly boolean[];
  readonly heading: string;
  readonly background: string;
}

const CHROMIUM = '/usr/bin/chromium';
const ramp = (shift: number) => Float32Array.from({ length: 64 }, (_, i) => ((i + shift) % 64) / 63);
const gallery: ImageGallery = {
  width: 8,
  height: 8,
  channels: 1,
  items: [0, 1, 2].map((index) => ({
    index,
    label: index,
    before: { class: index, confidence: 0.9 },
    after: { class: index + 1, confidence: 0.6 },
    clean: ramp(index),
    adversarial: ramp(index + 3),
    eps: 0.3,
    attack: 'pgd',
  })),
};

/** Each page with the number of pictures that it has at least. */
const PAGES: readonly (readonly [name: string, html: string, pictures: number])[] = [
  ['report', renderHtml(sampleAssessment(), gallery), 9],
  ['comparison', renderComparisonHtml(sampleComparison()), 0],
  ['transfer', renderTransferHtml(sampleTransfer()), 0],
];

describe.skipIf(!existsSync(CHROMIUM))('the reports in a browser (needs /usr/bin/chromium)', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'glacis-report-'));
    for (const [name, html] of PAGES) writeFileSync(join(folder, `${name}.html`), html);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--no-first-run',
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, , pictures] of PAGES) {
    for (const width of [1280, 420]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        it(`${name}: fits ${width} px in ${colorScheme} mode, draws its pictures, asks for nothing and complains of nothing`, async () => {
          const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
          const complaints: string[] = [];
          const asked: string[] = [];
          page.on('console', (message) => complaints.push(message.text()));
          page.on('pageerror', (error) => complaints.push(error.message));
          page.on('request', (request) => asked.push(request.url()));
          await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
          const seen = (await page.evaluate(LOOK)) as Seen;
          await page.close();
          expect(complaints).toEqual([]);
          expect(asked.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([]);
          expect(seen.overflow).toBeLessThanOrEqual(0);
          expect(seen.pictures.length).toBeGreaterThanOrEqual(pictures);
          expect(seen.pictures.every(Boolean)).toBe(true);
          expect(seen.heading).toMatch(/\d/);
          const [red = 0] = seen.background.match(/\d+/g)?.map(Number) ?? [];
          expect(red > 127).toBe(colorScheme === 'light');
        }, 30_000);
      }
    }
  }
});

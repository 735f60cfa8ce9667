import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, ROOT } from './tree.ts';

/** The pages: what runs in a browser. */
const pages = filesUnder('console').filter(
  (path) => /\.tsx?$/.test(path) && !/^console\/dev\/|\.test\.tsx?$/.test(path),
);
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What would let a caller's text become markup, a style or a script, or would ask another host. */
const DANGERS: Readonly<Record<string, RegExp>> = {
  'markup from text': /dangerouslySetInnerHTML|\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write/,
  'a script from text': /\beval\(|new Function\(|javascript:/,
  'a style of one element in markup': /<[^>]*\sstyle=/,
  'another host': /fetch\(\s*['"`]https?:|import\(\s*['"`]https?:/,
};

describe('the console', () => {
  it('is there', () => {
    expect(pages.length).toBeGreaterThan(40);
  });

  it('makes no markup, style or script from text, and asks no other host', () => {
    const found = pages.flatMap((path) =>
      Object.entries(DANGERS)
        .filter(([, pattern]) => pattern.test(text(path)))
        .map(([what]) => `${path}: ${what}`),
    );
    expect(found).toEqual([]);
  });

  it('would find them', () => {
    expect(DANGERS['markup from text']!.test('<p dangerouslySetInnerHTML={x} />')).toBe(true);
    expect(DANGERS['a style of one element in markup']!.test('<p\n  style={{ color }}>')).toBe(true);
    expect(DANGERS['another host']!.test("fetch('https://example.org')")).toBe(true);
  });

  it('has a page of styles only for pages that there are, and no sheet from elsewhere', () => {
    const ids = [...text('console/shell/routes.ts').matchAll(/import\('\.\.\/pages\/(\w+)\.tsx'\)/g)].map(
      ([, id]) => id,
    );
    expect(ids.length).toBe(12);
    const sheets = filesUnder('console').filter((path) => path.endsWith('.css'));
    for (const path of sheets) expect(text(path), path).not.toMatch(/@import|url\(/);
    const named = sheets.flatMap((path) => /^console\/pages\/(.+)\.css$/.exec(path)?.[1] ?? []);
    expect(named.filter((name) => !ids.includes(name))).toEqual([]);
  });

  it('names its files by the place where the gateway serves them', () => {
    expect(text('console/index.html')).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=/);
    expect(text('console/shell/router.tsx')).toContain("BASE = '/console'");
    expect(text('scripts/build-console.mjs')).toContain("BASE = '/console/'");
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, ROOT } from './tree.ts';

/** The anchors of a Markdown text's headings, made the way GitHub makes them. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = withoutCode(markdown).matchAll(/^#{1,6}\s+(.+)$/gm);
  const slugs = [...headings].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set(slugs);
}

/** The text without fenced blocks, where a bracket is code and not a link. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
}

/** `file: link` for each relative link of `file` whose file or heading is not there. */
function brokenLinks(file: string, markdown: string): readonly string[] {
  const links = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(
    (match) => match[1] ?? '',
  );
  return links
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : posix.join(dirname(file), decodeURIComponent(path));
      if (path !== '' && !existsSync(join(ROOT, target))) return true;
      if (anchor === undefined || !target.endsWith('.md')) return false;
      return !anchorsOf(path === '' ? markdown : readFileSync(join(ROOT, target), 'utf8')).has(anchor);
    })
    .map((link) => `${file}: ${link}`);
}

describe('links in the documents', () => {
  const documents = filesUnder().filter((file) => file.endsWith('.md'));

  it('lead to files and headings that exist', () => {
    expect(documents).toContain('CONTRIBUTING.md');
    expect(documents.flatMap((file) => brokenLinks(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual(
      [],
    );
  });

  it('lead to files that exist where a message says "see docs/…"', () => {
    const sources = filesUnder('src').filter((file) => file.endsWith('.ts'));
    const named = sources.flatMap((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return [...text.matchAll(/see (docs\/[\w/-]+\.md)/g)].map((match) => `${match[1]} (${file})`);
    });
    expect(named.filter((name) => !existsSync(join(ROOT, name.split(' ')[0] ?? '')))).toEqual([]);
  });

  it('lead from docs/README.md to every page of documentation', () => {
    const index = readFileSync(join(ROOT, 'docs/README.md'), 'utf8');
    const pages = documents.filter((file) => posix.dirname(file) === 'docs' && file !== 'docs/README.md');
    expect(pages.map((page) => posix.basename(page)).filter((page) => !index.includes(`(${page})`))).toEqual(
      [],
    );
  });

  it('would be found broken', () => {
    const text =
      '# One heading\n[a](#one-heading) [b](#none) [c](package.json) [d](missing.md) [e](https://example.org/x)';
    expect(brokenLinks('x.md', text)).toEqual(['x.md: #none', 'x.md: missing.md']);
  });
});

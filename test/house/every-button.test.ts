import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ROOT } from './tree.ts';

const TAGS = new Set(['Button', 'button', 'IconButton', 'TakeMeasure', 'OpenCase']);

/** Buttons whose words are data, or those of whoever uses the part: what they do is pressed where they are used. */
const WITHOUT_WORDS = new Set([
  'console/parts/button.tsx',
  'console/parts/segments.tsx',
  'console/parts/table.tsx',
  'console/parts/tabs.tsx',
  'console/shell/confirm.tsx',
  'console/pages/case-acts.tsx',
  'console/pages/case.tsx',
  'console/pages/cases.tsx',
  'console/pages/client.tsx',
  'console/pages/ledger/entry-page.tsx',
  'console/pages/models/one.tsx',
  'console/pages/overview.tsx',
  'console/pages/people/keys.tsx',
  'console/pages/policy/guards.tsx',
  'console/parts/take-measure/take-measure.tsx',
  'console/shell/header.tsx',
]);

const filesOf = (folder: string, ending: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith(ending) && !/\/(dev|dist)\//.test(file));

interface Found {
  readonly file: string;
  readonly line: number;
  /** Texts that its name may be made of. */
  readonly words: readonly string[];
}

/** The buttons of a source, with every text that may be part of their names. */
function buttonsIn(file: string): Found[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(ROOT, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: Found[] = [];
  const textsIn = (node: ts.Node): string[] => {
    const texts: string[] = [];
    const walk = (each: ts.Node): void => {
      if (ts.isJsxText(each) || ts.isStringLiteral(each) || ts.isNoSubstitutionTemplateLiteral(each))
        texts.push(each.text.trim());
      if (ts.isTemplateExpression(each)) texts.push(each.head.text.trim());
      each.forEachChild(walk);
    };
    walk(node);
    return texts;
  };
  const visit = (node: ts.Node): void => {
    const opening = ts.isJsxElement(node)
      ? node.openingElement
      : ts.isJsxSelfClosingElement(node)
        ? node
        : undefined;
    if (opening !== undefined && TAGS.has(opening.tagName.getText())) {
      const named = opening.attributes.properties.filter(
        (each) => ts.isJsxAttribute(each) && /^(aria-label|label|title)$/.test(each.name.getText()),
      );
      const parts = named.length > 0 ? named : ts.isJsxElement(node) ? node.children : [];
      const words = parts.flatMap(textsIn).filter((text) => /^[A-Z]\S*/.test(text) && text.length > 2);
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ file, line: line + 1, words });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return found;
}

describe('buttons of the console', () => {
  const all = filesOf('console', '.tsx').flatMap(buttonsIn);
  const tests = filesOf('test/browser/console', '.test.ts')
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');

  it('are each called by their words in a test of a real browser', () => {
    expect(all.length).toBeGreaterThan(60);
    const unnamed = all
      .filter(({ words }) => words.length > 0 && !words.some((text) => tests.includes(text)))
      .map(({ file, line, words }) => `${file}:${line}: ${words.join(' / ')}`);
    expect(unnamed).toEqual([]);
  });

  it('have words of their own, unless they are listed as those of whoever uses the part', () => {
    const without = new Set(all.filter(({ words }) => words.length === 0).map(({ file }) => file));
    expect([...without].filter((file) => !WITHOUT_WORDS.has(file))).toEqual([]);
  });
});

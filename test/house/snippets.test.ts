import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { filesUnder, ROOT } from './tree.ts';

/** Lines of a text without indentation and blank ones. */
const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Lines of the Python blocks of `markdown` that no program holds. */
function unknownLines(markdown: string, programs: ReadonlySet<string>): readonly string[] {
  const blocks = [...markdown.matchAll(/^```python\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
  return blocks.flatMap(linesOf).filter((line) => !programs.has(line));
}

it('Python in the guides is taken from the programs in examples/python', () => {
  const sources = filesUnder('examples/python').filter((file) => file.endsWith('.py'));
  const programs = new Set(sources.flatMap((file) => linesOf(readFileSync(join(ROOT, file), 'utf8'))));
  const guide = readFileSync(join(ROOT, 'docs/from-pytorch.md'), 'utf8');
  expect(guide).toContain('```python');
  expect(unknownLines(guide, programs)).toEqual([]);
  expect(unknownLines('```python\nimport nothing\n```\n', programs)).toEqual(['import nothing']);
});

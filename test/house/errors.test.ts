import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/core/error.ts';
import { ROOT } from './tree.ts';

const document = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
/** Code to its section's text, for each heading of the form ### `code`. */
const sections = new Map(
  document
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`([^`]+)`/.exec(section)?.[1] ?? section.split('\n')[0] ?? '', section]),
);

describe('docs/errors.md', () => {
  it('explains every error code', () => {
    expect(ERROR_CODES.filter((code) => !sections.has(code))).toEqual([]);
  });

  it('explains no code that does not exist, and none twice', () => {
    expect([...sections.keys()].filter((code) => !(ERROR_CODES as readonly string[]).includes(code))).toEqual(
      [],
    );
    expect(document.match(/^### /gm)?.length).toBe(sections.size);
  });

  it('gives each code a meaning, a cause and something to do', () => {
    for (const [code, text] of sections) {
      for (const part of ['Meaning', 'Usual cause', 'What to do'])
        expect(text, code).toContain(`**${part}:**`);
    }
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { filesUnder, ROOT } from './tree.ts';

/** Ways to abuse a server of models: what comes over the wire (1 to 19), identity, limits and timing (20 to 24), the log, disks and servers behind (25 to 30), the console and its alerts (31, 32). */
const GROUPS = 32;

it('every group of abuse has a test with its number', () => {
  const tried = new Set<number>();
  for (const file of ['src', 'test/browser', 'test/end-to-end'].flatMap(filesUnder)) {
    if (!file.endsWith('.test.ts')) continue;
    const titles = titlesIn(readFileSync(join(ROOT, file), 'utf8'));
    for (const group of titles.flatMap(groupsIn)) tried.add(group);
  }
  const missing = Array.from({ length: GROUPS }, (_, i) => i + 1).filter((group) => !tried.has(group));
  expect(missing).toEqual([]);
});

it('finds a number where a title has one, and none elsewhere', () => {
  const source = `it('15: raw and typed', () => {}); describe('abuse 31: x', f); it('1, 2, 3: shapes', f); it('killed (abuse group 22)', f); it('7 days', f); const a = '9: no title';`;
  expect(titlesIn(source).flatMap(groupsIn)).toEqual([15, 31, 1, 2, 3, 22]);
});

/** Titles of tests and of groups of them. */
function titlesIn(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:it|describe)(?:\.\w+(?:\([^()]*\))?)?\(\s*(['"`])((?:(?!\1).)+)\1/g)].map(
    ([, , title]) => title!,
  );
}

function groupsIn(title: string): readonly number[] {
  const said = /^(?:abuse )?(\d+(?:, \d+)*):|\(abuse group (\d+)\)|^abuse group (\d+):/.exec(title);
  return (said?.slice(1).find((each) => each !== undefined) ?? '').split(', ').filter(Boolean).map(Number);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { filesUnder, ROOT } from '../../../test/house/tree.ts';
import { REQUIREMENT_KINDS } from '../schema/requirements.ts';
import { coverageOf } from './coverage.ts';
import { nameOfEntry, TAXONOMIES } from './taxonomies.ts';

const ID = /\b(?:AML\.[TM]\d{4}(?:\.\d{3})?|ML\d\d:2023|NISTAML\.\d{2,3}|AISVS-\d+\.\d+\.\d+)\b/g;

it('every id of a taxonomy that the sources name is one of the entries', () => {
  const sources = filesUnder('src').filter((file) => file.endsWith('.ts'));
  const named = new Map<string, string>();
  for (const file of sources)
    for (const [id] of readFileSync(join(ROOT, file), 'utf8').matchAll(ID)) named.set(id, file);
  expect(named.size).toBeGreaterThan(30);
  expect([...named].filter(([id]) => nameOfEntry(id) === undefined)).toEqual([]);
});

it('every kind of requirement is filed in ATLAS, OWASP ML and NIST AI 100-2 under ids that are there', () => {
  for (const kind of REQUIREMENT_KINDS) {
    const { atlas, owasp, nist, aisvs } = coverageOf(kind);
    for (const ids of [atlas, owasp, nist]) expect(ids.length, kind).toBeGreaterThan(0);
    for (const id of [...atlas, ...owasp, ...nist, ...aisvs]) expect(nameOfEntry(id), id).toBeDefined();
  }
});

it('an id stands in one taxonomy only, and says from which version it is', () => {
  const ids = TAXONOMIES.flatMap(({ entries }) => Object.keys(entries));
  expect(new Set(ids).size).toBe(ids.length);
  for (const { version, source } of TAXONOMIES) expect(`${version} ${source}`).toMatch(/\d.* https:/);
  expect(nameOfEntry('toString')).toBeUndefined();
});

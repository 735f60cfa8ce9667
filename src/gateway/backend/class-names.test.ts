import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readServe } from '../config/read-serve.ts';
import { classNames } from './class-names.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-classes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function opened(models: object, lab: object = {}) {
  const failures: string[] = [];
  const { config } = readServe(JSON.stringify({ serve: { models, console: { lab: { models: lab } } } }));
  const placeOf = (path: string) => join(folder, path);
  const inModel = (name: string) => (name === 'd' || name === 'g' ? ['own', 'names'] : undefined);
  return {
    failures,
    names: classNames(() => config, { placeOf, failed: (where) => failures.push(where), inModel }),
  };
}

const model = (classes?: unknown) => ({ file: 'm.onnx', check: { asGiven: true }, classes });

describe('names of classes', () => {
  it('come from the section of the model, from a file, or from the lab', async () => {
    writeFileSync(join(folder, 'lines.txt'), 'stop\r\nyield\n\nno entry\n');
    writeFileSync(join(folder, 'list.json'), ' ["stop", "yield"]\n');
    const { names, failures } = opened(
      { a: model(['x', 'y']), b: model('lines.txt'), c: model('list.json'), d: model(), e: model() },
      { d: { classNames: ['p', 'q'] }, a: { classNames: ['other'] } },
    );
    expect(await names('a')).toEqual(['x', 'y']);
    expect(await names('b')).toEqual(['stop', 'yield', '', 'no entry']);
    expect(await names('c')).toEqual(['stop', 'yield']);
    expect(await names('d')).toEqual(['p', 'q']);
    // The model's own are the last resort.
    expect(await names('g')).toEqual(['own', 'names']);
    for (const none of ['e', 'f', '__proto__', 'constructor']) expect(await names(none)).toBeUndefined();
    expect(failures).toEqual([]);
  });

  it('follow the file, and are left out with one word about it where it cannot be read', async () => {
    const { names, failures } = opened({ a: model('names.json') });
    expect([await names('a'), await names('a')]).toEqual([undefined, undefined]);
    expect(failures).toHaveLength(1);
    writeFileSync(join(folder, 'names.json'), '["stop"]');
    expect(await names('a')).toEqual(['stop']);
    for (const bad of ['[1, 2]', '[', '[]', 'x'.repeat(600), 'a\n'.repeat(10_001), ' '.repeat(1 << 21)]) {
      writeFileSync(join(folder, 'names.json'), bad);
      expect(await names('a')).toBeUndefined();
    }
    expect(failures.length).toBe(7);
  });
});

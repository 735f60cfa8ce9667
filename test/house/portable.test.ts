import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, ROOT } from './tree.ts';

/**
 * What ties a file to one machine or one registry. Written with character classes, so that the patterns do not find
 * themselves.
 */
const TIED: Readonly<Record<string, RegExp>> = {
  'a package registry':
    /\bregistry\.(?:npmj[s]|yarnpk[g])\.|\bnpm\.pkg\.githu[b]\.|\bpypi\.or[g]\/simple|files\.pythonhoste[d]\./i,
  'a path of one machine': /(?<![\w.~-])\/(?:wor[k]|roo[t])\/|(?<![\w.~-])\/tm[p]\/bash_|\/Use[r]s\/\w/,
};
const BINARY = /\.(?:onnx|npz|npy|png|jpe?g|webp|gz|zip|parquet|pdf|woff2?|ico|pt|pth|pkl|bin|data)$/i;

/** `file:line: what` for each line of a text that is tied to a machine or a registry. */
function tiedLines(name: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, i) =>
    Object.entries(TIED)
      .filter(([, pattern]) => pattern.test(line))
      .map(([what]) => `${name}:${i + 1}: ${what}`),
  );
}

describe('the tree', () => {
  it('names no registry host and no path of one machine', () => {
    const files = filesUnder().filter((file) => !BINARY.test(file));
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => tiedLines(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });

  it('would find them', () => {
    const host = ['https://registry', 'npmjs', 'org/x'].join('.');
    const path = ['', 'work', 'main', 'x'].join('/');
    expect(tiedLines('a', `ok\n${host}\n${path}`)).toEqual([
      'a:2: a package registry',
      'a:3: a path of one machine',
    ]);
  });
});

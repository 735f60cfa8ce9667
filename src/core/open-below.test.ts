import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GlacisError } from './error.ts';
import { HAS_DESCRIPTORS, openBelow, readBelow } from './open-below.ts';

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'glacis-below-'));
  folder = join(root, 'folder');
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(folder, 'a', 'b', 'plain'), 'plain');
  writeFileSync(join(folder, 'twin'), 'twin');
  linkSync(join(folder, 'twin'), join(folder, 'a', 'twin'));
  symlinkSync(join(root, 'secret'), join(folder, 'link'));
  symlinkSync(root, join(folder, 'out'));
  symlinkSync('a', join(folder, 'inside'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
afterAll(() => rmSync(root, { recursive: true }));

const refuse = (reason: string) => new GlacisError('data/unreadable', reason);
const opened = (how: 'descriptors' | 'paths') => async (location: string) => {
  const handle = await openBelow(folder, location, refuse, how);
  try {
    return (await handle.readFile()).toString();
  } finally {
    await handle.close();
  }
};
const ways: [string, (location: string) => Promise<string | undefined>][] = [
  ['by paths', opened('paths')],
  ...(HAS_DESCRIPTORS
    ? ([
        ['by descriptors', opened('descriptors')],
        ['at once', async (location) => readBelow(folder, location, refuse, 5)?.toString()],
      ] as [string, (location: string) => Promise<string | undefined>][])
    : []),
];

describe.each(ways)('a file below a folder, %s', (_, read) => {
  it('is read where it is plain', async () => {
    expect(await read('a/b/plain')).toBe('plain');
    expect(await read('./a//b/plain')).toBe('plain');
  });

  it.each([
    ['link', 'a link'],
    ['out/secret', 'a folder that is a link'],
    ['inside/b/plain', 'a link, wherever it leads'],
    ['a/twin', 'a second name of a file'],
    ['a/b', 'a folder'],
    ['pipe', 'a pipe'],
    ['../secret', 'a way out'],
    ['a/../../secret', 'a way out'],
    ['/etc/hostname', 'an absolute path'],
    ['a\\b', 'a backslash'],
    ['a\0b', 'a zero byte'],
    ['', 'nothing'],
    ['absent/plain', 'a folder that is not there'],
    ['a/b/plain/more', 'a step that is a file'],
  ])('is refused: %j, %s', async (location) => {
    await expect(read(location)).rejects.toMatchObject({ code: 'data/unreadable' });
  });
});

it.skipIf(!HAS_DESCRIPTORS)('what is larger than it may be is not read', () => {
  expect(readBelow(folder, 'a/b/plain', refuse, 4)).toBeUndefined();
});

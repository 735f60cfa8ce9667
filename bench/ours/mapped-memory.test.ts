import { describe, expect, it } from 'vitest';
import { mappedMemory } from './mapped-memory.ts';

const KIB = 1024;
const mapping = (range: string, rights: string, name: string, resident: number) =>
  [
    `${range} ${rights} 00000000 00:00 0${name === '' ? ' ' : `                          ${name}`}`,
    'Size:              65536 kB',
    `Rss:               ${resident} kB`,
    'Pss:                   1 kB',
    'VmFlags: rd wr mr mw me ac sd',
  ].join('\n');

describe('memory of a process', () => {
  it('is told apart by what lies there', () => {
    expect(
      mappedMemory(
        [
          mapping('00400000-00500000', 'r-xp', '/usr/bin/node', 300),
          mapping('01000000-02000000', 'rw-p', '[heap]', 20),
          mapping('7f0000000000-7f0000100000', 'rw-p', '', 7),
          mapping('7f0000100000-7f0004000000', '---p', '', 0),
          mapping('7f0004000000-7f0008000000', 'rw-p', '', 500),
          mapping('7f0010000000-7f0010100000', 'rw-p', '', 1000),
          mapping('7f0010100000-7f0010200000', '---p', '', 0),
          mapping('7f0014100000-7f0018000000', 'rw-p', '', 3000),
          mapping('7ffd00000000-7ffd00021000', 'rw-p', '[stack]', 40),
          mapping('7f0020000000-7f0020008000', 'rw-s', '/data/live.db-shm (deleted)', 5),
        ].join('\n'),
      ),
    ).toEqual({
      files: 305 * KIB,
      // The arena that has grown a little, the one that is full, and the main one.
      native: (20 + 7 + 500) * KIB,
      // Neither a mapping at such a place of another length, nor one of that end at another place, is an arena.
      other: (1000 + 3000 + 40) * KIB,
    });
  });

  it('of nothing is nothing', () => {
    expect(mappedMemory('')).toEqual({ files: 0, native: 0, other: 0 });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../../data/byte-source.ts';
import { op, pickle } from '../../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../../scan.fixture.ts';
import { lzma2Dictionary, unlzma, unlzma2, unlzmaAlone } from './streams.ts';

const of = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

/** 52,680 bytes with matches near and far, packed by liblzma 5.4 with lc=1, lp=2, pb=1 and with its defaults. */
const LONG = Buffer.concat([
  Buffer.alloc(27_000, 'abcabcabd'),
  Buffer.alloc(
    7680,
    Uint8Array.from({ length: 256 }, (_, i) => i),
  ),
  Buffer.alloc(15_000, 'xyz'),
  Buffer.alloc(3000),
]);
const LONG_LZMA = of(
  'QAAQAAD//////////wAwmIjViAOmwi4H5Qd0qU4Daa4oPzDflhY5t+6ooG++E/GSoOhkHy444ztr0cyZC40oORRFOidNAhWJ+ua7a+DQj14WI8gXZ/bx6r5BhNL89pRwr+aIwje3jqerkHuDtVI6DLrvHSdO1Ea3eBLMxWDi83MXbvw2M3dHOO9np+4aW/g9yyUmMK3Lx4lwF+LhoOMELpth7TFsKPcSo0I637T76RdCGH9CK4+hJ2CIl8NZ6vwhGD6Pb/I/V8Pl2qhmpseLjgVnb0PdiKViyjZVkXc9GWCRaOJYlrvguSuOmpmBF+dQ9Zj6GMQGRnu2VbokpPEGlfvThSOfSCwLpZTKWoItIgNR75Iw0zbJAon6e5FfKZ1obwVwrFXRjtvATaqPAygr0AnUA2e+XjlOezh4SlqSaVrnfoHKQ83DEIqmKoD1ujkgQUfN6FPsYXEKmHAvPuKUGM34n/8A8EAA',
);
const LONG_LZMA2 = of(
  '4M3HAUddADCYiKWDbg4BYKM2GsozbBEd0KX9Iy+y+Wu+Edd8AM2RdPmXOBNw2dgr6qD88lBnA5SpBtvTVAWDJVuiJ7dEB/zFDpSXRKT7PXhYO6C80DlPiLhKXtTIO61hSNxBROSYyyla9w6dBYMUh9votVCi60hUohu+4CKIZJkNgLidYQX1gwg2d08rDLzeYjVPJRxI/+FIvqK1qaEQGQo+HvXg8MBdNolOx3aupIa9wqrT5MlOuYXPFERl8W39vWMbLSt4IAiuPpjd8jv6EjbGfLTGLFVYiXDbUpO/+eSa+fQWV+4YnRq+8qQQkADdJIr4JwxNfAuTvG+r+tHG8NoQLI//7h+wal2Ad5RrMl3sSEEGY9jzj+V184AgvARQd92stAfJ+eAXKQgg/4GZ+EEcw3npzDlGGvGrxMWB+hhgxNhzJRjc5JlG53WuAAA=',
);
/** `[None]` and `os.system('echo harmless')` as pickles, packed by xz 5.4. */
const CLEAN = of('XQAAgAD//////////wBAAQ5tbbaUhIp89wncddC//+4igAA=');
const EVIL = of(
  'XQAAgAD//////////wBAAQ5v68cpCpD9Ad17Kxsm3zd3Fn0VOKq5qXsNiVfCekPtPF598Gop2iOVWUy/p3xTFRXr//nPAAA=',
);

async function all(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ bytes: Buffer; problem: string | undefined }> {
  const got: Uint8Array[] = [];
  let problem: string | undefined;
  try {
    for await (const piece of pieces) got.push(piece);
  } catch (thrown) {
    problem = `${(thrown as { code: string }).code}: ${(thrown as Error).message}`;
  }
  return { bytes: Buffer.concat(got), problem };
}

const alone = (bytes: Uint8Array) => all(unlzmaAlone(memorySource(bytes, 'x'), 'x'));
const two = (bytes: Uint8Array) => all(unlzma2(memorySource(bytes, 'x'), 4096, 'x'));

describe('LZMA', () => {
  it('unpacks what liblzma packed, one stream after another', async () => {
    expect((await alone(LONG_LZMA)).bytes.equals(LONG)).toBe(true);
    const { bytes, problem } = await alone(Buffer.concat([LONG_LZMA, LONG_LZMA]));
    expect(problem).toBeUndefined();
    expect(bytes.equals(Buffer.concat([LONG, LONG]))).toBe(true);
  });

  it('unpacks a declared size, with and without an end marker behind it', async () => {
    const declared = LONG_LZMA.slice();
    new DataView(declared.buffer).setBigUint64(5, BigInt(LONG.length), true);
    expect((await alone(declared)).bytes.equals(LONG)).toBe(true);
    const header = { properties: 0x40, dictionary: 4096, size: 9 };
    const beginning = await all(unlzma(memorySource(LONG_LZMA, 'x'), 13, header, 'x'));
    // Nine bytes out of a longer stream: they came out, and the end is none.
    expect(beginning.bytes.toString()).toBe('abcabcabd');
    expect(beginning.problem).toMatch(/more than it declares|an end that no encoder writes/);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ['properties that do not exist', (b) => b.with(0, 225), /bytes behind its end/],
    ['a first byte that is not zero', (b) => b.with(13, 1), /bytes behind its end/],
    ['a dictionary that no writer uses', (b) => b.with(1, 1), /bytes behind its end/],
    ['a size that no file has', (b) => b.with(5, 0), /bytes behind its end/],
    ['a match before the beginning', (b) => b.fill(0xff, 14, 18), /before its beginning|an end/],
    ['a match beyond its dictionary', (b) => b.fill(0, 1, 5).fill(0x55, 200, 210), /LZMA/],
    ['the end in the middle', (b) => b.subarray(0, 300), /the end in the middle/],
    ['the end in its first bytes', (b) => b.subarray(0, 16), /bytes behind its end/],
    ['bytes behind it', (b) => Buffer.concat([b, Buffer.from('behind')]), /6 bytes behind its end/],
  ])('shows %s', async (_, change, reason) => {
    expect((await alone(change(LONG_LZMA.slice()))).problem).toMatch(reason);
  });

  it('gives what came out before it broke off', async () => {
    const { bytes } = await alone(LONG_LZMA.subarray(0, 300));
    expect(bytes.length).toBeGreaterThan(20_000);
    expect(LONG.subarray(0, bytes.length).equals(bytes)).toBe(true);
  });
});

describe('LZMA2', () => {
  it('unpacks what liblzma packed, and chunks that are stored', async () => {
    expect((await two(LONG_LZMA2)).bytes.equals(LONG)).toBe(true);
    const { bytes, problem } = await two(Uint8Array.of(1, 0, 2, 65, 66, 67, 2, 0, 0, 68, 0));
    expect(bytes.toString()).toBe('ABCD');
    expect(problem).toBeUndefined();
  });

  it('goes on behind a stored chunk with the state before it, as 7-Zip does', async () => {
    // Written symbol by symbol; liblzma 5.4 unpacks it, too.
    const { bytes, problem } = await two(
      of('4AARABddADYaSu7mT8z7iD+XCI6W/R/5dnXA7fAAAgAFc3RvcmVkgAATABYAElB7e/lbPJAmhACvUKohT9KuNYRq3AA='),
    );
    expect(bytes.toString()).toBe('literals in front stored and literals behind');
    expect(problem).toBeUndefined();
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['no end', (b) => b.subarray(0, -1), 'the end where a chunk should begin'],
    ['bytes behind it', (b) => Buffer.concat([b, Buffer.from([0])]), '1 bytes behind its end'],
    ['a chunk of no kind', (b) => b.with(0, 3), 'a chunk of no kind'],
    ['an end in a header', (b) => b.subarray(0, 5), 'the end in a header'],
    ['an end in a chunk', (b) => b.subarray(0, 100), 'the end in a chunk'],
    ['a first chunk that resets no dictionary', (b) => b.with(0, 0xc0), 'a chunk that lacks a beginning'],
    [
      'a first stored chunk that resets no dictionary',
      () => Uint8Array.of(2, 0, 0, 65, 0),
      'a chunk that lacks a beginning',
    ],
    [
      'no properties behind a stored chunk',
      (b) => Buffer.concat([Buffer.from([1, 0, 0, 65]), b.with(0, 0xa0)]),
      'a chunk that lacks a beginning',
    ],
    ['properties that do not exist', (b) => b.with(5, 224), 'properties that do not exist'],
    ['a size that is less than the chunk', (b) => b.with(2, b[2]! - 1), 'LZMA'],
    ['a size that is more than the chunk', (b) => b.with(2, b[2]! + 1), 'LZMA'],
    ['a packed size that is more than the chunk', (b) => b.with(4, b[4]! - 1), 'LZMA'],
    ['a first byte that is not zero', (b) => b.with(6, 1), 'a first byte that is not zero'],
  ])('may not have %s', async (_, change, reason) => {
    expect((await two(change(LONG_LZMA2.slice()))).problem).toContain(reason);
  });

  it('has a dictionary of the size that its byte stands for', () => {
    expect([0, 1, 18, 24, 40, 41].map(lzma2Dictionary)).toEqual([
      4096,
      6144,
      2 ** 21,
      2 ** 24,
      2 ** 32 - 1,
      2 ** 32 - 1,
    ]);
  });
});

it('no bytes do more than break off', async () => {
  const change = fc.record({ at: fc.nat({ max: 700 }), to: fc.integer({ min: 0, max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.boolean(), async (changes, second) => {
      const bytes = (second ? LONG_LZMA2 : LONG_LZMA).slice();
      for (const { at, to } of changes) bytes[at % bytes.length] = to;
      const { problem } = await (second ? two : alone)(bytes);
      if (problem !== undefined) expect(problem).toMatch(/^(data\/unreadable|scan\/limit): /);
    }),
    { numRuns: 150 },
  );
});

describe('a file in the format .lzma', () => {
  it('is as clean as what it holds', async () => {
    expect(await scanBytes(CLEAN, 'm.pkl.lzma')).toMatchObject({ verdict: 'clean', formats: ['lzma'] });
    const evil = await scanBytes(EVIL, 'm.pkl');
    expect(evil).toMatchObject({ verdict: 'malicious', formats: ['lzma'] });
    expect(ruleIds(evil)).toEqual(['pickle/dangerous-name']);
    expect(await scanBytes(Buffer.concat([CLEAN, EVIL]), 'm')).toMatchObject({ verdict: 'malicious' });
  });

  it('is unreadable when it is cut, and what came out is looked at', async () => {
    expect(await scanBytes(CLEAN.subarray(0, -5), 'm')).toMatchObject({ verdict: 'unreadable' });
    const cut = await scanBytes(EVIL.subarray(0, -8), 'm');
    expect(ruleIds(cut)).toContain('file/damaged');
    expect(cut.verdict).toBe('malicious');
  });

  it('is told from arrays of small integers, whatever they are in', async () => {
    const integer = fc.integer({ min: 0, max: 300 });
    const array = fc.oneof(
      fc.array(integer, { minLength: 4, maxLength: 60 }).map((all) => BigInt64Array.from(all.map(BigInt))),
      fc.array(integer, { minLength: 4, maxLength: 60 }).map((all) => Int32Array.from(all)),
    );
    await fc.assert(
      fc.asyncProperty(array, async (numbers) => {
        const content = pickle(op('BINBYTES', new Uint8Array(numbers.buffer)));
        expect(await scanBytes(content, 'm.pkl')).toMatchObject({ verdict: 'clean', findings: [] });
      }),
      { numRuns: 300 },
    );
    // As a file of its own it is no model that is known, and so not clean either.
    const file = new Uint8Array(BigInt64Array.from({ length: 100 }, (_, i) => BigInt(i % 7) + 3n).buffer);
    expect(await scanBytes(file, 'm')).toMatchObject({ formats: [], unknown: true });
  });

  it('is told from bytes that only begin like one', async () => {
    // 13 bytes that fit, and a stream whose first symbol is a match before the beginning.
    const like = Uint8Array.from([
      0x5d,
      0,
      0,
      0x80,
      0,
      ...new Array(8).fill(0xff),
      0,
      0xff,
      0xff,
      0xff,
      0xff,
      1,
      2,
    ]);
    expect(await scanBytes(like, 'm')).toMatchObject({ formats: [], verdict: 'clean', unknown: true });
  });
});

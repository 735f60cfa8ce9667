import { crc32, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { ZIP_BYPASSES } from './bypasses.fixture.ts';
import { type FixtureMember, zip } from './zip.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

async function look(content: Uint8Array, scan: Parameters<typeof scanBytes>[2] = {}) {
  const result = await scanBytes(content, 'model.zip', scan);
  return {
    verdict: result.verdict,
    rules: ruleIds(result),
    findings: result.findings,
    formats: result.formats,
  };
}

const one = (member: Partial<FixtureMember>) => zip([{ name: 'a.pkl', content: CLEAN, ...member }]);

/** `m.pkl` with `[None]` and with `os.system('echo harmless')`, packed by zipfile of Python 3.11. */
const PACKED_BY_PYTHON = {
  bzip2: [
    'UEsDBC4AAAAMANIldl1YR+JuOwAAABAAAAAFAAAAbS5wa2xCWmg5MUFZJlNZqCRTywAABddgTgAAAQABAAIgAEAABgAgADEA000DQAyS4HIrCUvF3JFOFCQqCRTywFBLAQIuAy4AAAAMANIldl1YR+JuOwAAABAAAAAFAAAAAAAAAAAAAACAAQAAAABtLnBrbFBLBQYAAAAAAQABADMAAABeAAAAAAA=',
    'UEsDBC4AAAAMANIldl34B5GiWAAAADMAAAAFAAAAbS5wa2xCWmg5MUFZJlNZlnvYxQAAElPgTwJAQRAAKmbcYEIEDgAgACImoaaANPU0baU2oUAAAAAkZErQ7dyRNx5OgqMsxReY/V0JjCKcGtGzo/4u5IpwoSEs97GKUEsBAi4DLgAAAAwA0iV2XfgHkaJYAAAAMwAAAAUAAAAAAAAAAAAAAIABAAAAAG0ucGtsUEsFBgAAAAABAAEAMwAAAHsAAAAAAA==',
  ],
  LZMA: [
    'UEsDBD8AAgAOANIldl1YR+JuHwAAABAAAAAFAAAAbS5wa2wJBAUAXQAAgAAAQAEObW22lISKfPcJ3HXQv//uIoAAUEsBAj8DPwACAA4A0iV2XVhH4m4fAAAAEAAAAAUAAAAAAAAAAAAAAIABAAAAAG0ucGtsUEsFBgAAAAABAAEAMwAAAEIAAAAAAA==',
    'UEsDBD8AAgAOANIldl34B5GiQwAAADMAAAAFAAAAbS5wa2wJBAUAXQAAgAAAQAEOb+vHKQqQ/QHdeysbJt83dxZ9FTiqual7DYlXwnpD7TxeffBqKdojlVlMv6d8UxUV6//5zwAAUEsBAj8DPwACAA4A0iV2XfgHkaJDAAAAMwAAAAUAAAAAAAAAAAAAAIABAAAAAG0ucGtsUEsFBgAAAAABAAEAMwAAAGYAAAAAAA==',
  ],
} as const;

/** The packed bytes of the clean LZMA member above. */
const lzmaMember = () => Buffer.from(PACKED_BY_PYTHON.LZMA[0], 'base64').subarray(35, 35 + 31);

describe('a zip archive', () => {
  it('is clean when its members are, stored and deflated', async () => {
    const found = await look(
      zip([
        { name: 'a.pkl', content: CLEAN },
        { name: 'b/c.pkl', content: CLEAN, deflate: true },
        { name: 'd/' },
      ]),
    );
    expect(found).toMatchObject({ verdict: 'clean', formats: ['zip'] });
  });

  it.each(['same', 'needed'] as const)(
    'is read by its 64-bit directory where it has one: %s',
    async (wide) => {
      const found = await look(zip([{ name: 'a.pkl', content: EVIL }], undefined, undefined, wide));
      expect(found).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
    },
  );

  it.each(Object.entries(PACKED_BY_PYTHON))('reads %s, as its loaders do', async (_, [clean, evil]) => {
    const of = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
    expect(await look(of(clean))).toMatchObject({ verdict: 'clean', formats: ['zip'] });
    expect(await look(of(evil))).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
    // A byte of what is packed, behind the headers.
    const changed = of(clean);
    changed[60]! ^= 0x10;
    expect((await look(changed)).verdict).toBe('suspicious');
  });

  it('reads Zstandard, as Python 3.14 does', async () => {
    const packed = new Uint8Array(zstdCompressSync(EVIL));
    const content = one({ content: packed, method: 93, size: EVIL.length, crc: crc32(EVIL) });
    expect(await look(content)).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
  });

  it.each<[string, Uint8Array]>([
    ['other properties', Uint8Array.of(9, 4, 4, 0, 93, 0, 0, 128, 0, 0, 0, 0, 0, 0)],
    ['bytes behind the stream', Buffer.concat([lzmaMember(), Buffer.from('x')])],
  ])('shows LZMA with %s', async (_, content) => {
    expect(await look(one({ method: 14, content, size: 16, crc: 0x6ee24758 }))).toMatchObject({
      rules: ['zip/bad-checksum'],
    });
  });

  it('names the way to what it holds, through archives in archives', async () => {
    const inner = zip([{ name: 'weights.bin', content: EVIL, deflate: true }]);
    const { verdict, findings } = await look(zip([{ name: 'inner.dat', content: inner }]));
    expect(verdict).toBe('malicious');
    expect(findings[0]!.place).toMatchObject({ file: 'model.zip', inner: ['inner.dat', 'weights.bin'] });
  });

  it('shows members that nobody knows as unreadable, and lets text pass', async () => {
    const found = await look(
      zip([
        { name: 'x', content: new Uint8Array(9).fill(0xfe) },
        { name: 'readme', content: 'words' },
      ]),
    );
    expect(found).toMatchObject({ verdict: 'unreadable', rules: ['file/unknown-format'] });
  });
});

describe('a zip archive that deceives is seen:', () => {
  it.each(Object.entries(ZIP_BYPASSES))('%s', async (_, [content, verdict, rules]) => {
    const found = await look(content);
    expect(found.rules).toEqual(rules);
    expect(found.verdict).toBe(verdict);
  });
});

describe('a zip archive that exhausts', () => {
  const nested = (depth: number): ReturnType<typeof zip> =>
    depth === 0 ? CLEAN : zip([{ name: 'z', content: nested(depth - 1), deflate: true }]);

  it('ends at the depth', async () => {
    expect(await look(nested(14))).toMatchObject({ verdict: 'unreadable', rules: ['file/limit'] });
    expect(await look(nested(11))).toMatchObject({ verdict: 'clean' });
  });

  it('ends at the number of members', async () => {
    const many = zip(Array.from({ length: 50 }, (_, i) => ({ name: `${i}`, content: 'x' })));
    expect(await look(many, { limits: { entries: 20 } })).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/limit'],
    });
  });

  it('ends at the bytes that come out', async () => {
    const zeros = one({ content: new Uint8Array(1 << 20), deflate: true });
    expect(await look(zeros, { limits: { unpackedBytes: 1000 } })).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/limit'],
    });
  });

  it('ends at the ratio', async () => {
    const bomb = one({ content: new Uint8Array(4 << 20), deflate: true });
    const found = await look(bomb, { limits: { ratioFrom: 2 ** 20 } });
    expect(found.rules).toContain('archive/bomb');
    expect(found.verdict).toBe('suspicious');
  });

  it('still shows what was found before', async () => {
    const evilFirst = zip([
      { name: 'a', content: EVIL },
      { name: 'b', content: nested(14) },
    ]);
    expect(await look(evilFirst)).toMatchObject({ verdict: 'malicious' });
  });
});

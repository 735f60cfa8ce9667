import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));
const PACKERS: Readonly<Record<string, (content: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  zlib: deflateSync,
  zstd: zstdCompressSync,
};

describe.each(Object.entries(PACKERS))('%s', (format, pack) => {
  const look = async (content: Uint8Array, limits = {}) => {
    const result = await scanBytes(new Uint8Array(content), 'model.pkl.gz', { limits });
    return { verdict: result.verdict, rules: ruleIds(result), formats: result.formats };
  };

  it('is as clean as what it holds', async () => {
    expect(await look(pack(CLEAN))).toEqual({ verdict: 'clean', rules: [], formats: [format] });
    expect(await look(pack(EVIL))).toMatchObject({ verdict: 'malicious', rules: ['pickle/dangerous-name'] });
    expect(await look(pack(Buffer.from('text')))).toMatchObject({ verdict: 'clean' });
  });

  it('is unreadable when nobody knows what it holds', async () => {
    expect(await look(pack(new Uint8Array(9).fill(0xfe)))).toMatchObject({
      verdict: 'unreadable',
      rules: ['file/unknown-format'],
    });
  });

  it('shows what came out before it broke off', async () => {
    // Numbers that do not compress, so that there are several blocks.
    let state = 1;
    const noise = Uint8Array.from({ length: 400_000 }, () => {
      state = Math.imul(state, 1664525) + 1013904223;
      return state >>> 24;
    });
    const long = pack(Buffer.concat([EVIL, noise]));
    const found = await look(long.subarray(0, long.length - 100));
    expect(found.verdict).toBe('malicious');
    expect(found.rules).toContain('file/damaged');
  });

  it('is a bomb when it unpacks to far more than it holds, and is left then', async () => {
    const found = await look(pack(new Uint8Array(40 << 20)), { ratio: 50 });
    expect(found).toMatchObject({ verdict: 'suspicious' });
    expect(found.rules).toContain('archive/bomb');
  });
});

it.each([
  ['7z', '7z\xbc\xaf\x27\x1c'],
  ['RAR', 'Rar!\x1a\x07\x01\x00'],
  ['LZ4', '\x04\x22\x4d\x18'],
])('%s is named and unreadable', async (name, mark) => {
  const result = await scanBytes(new Uint8Array(Buffer.from(`${mark}\xfe\xfe\xfe\xfe`, 'latin1')));
  expect(result).toMatchObject({ verdict: 'unreadable', formats: ['unsupported'] });
  expect(result.findings[0]!.what).toContain(name);
});

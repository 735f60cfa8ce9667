import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../data/byte-source.ts';
import { op, PAYLOAD, pickle } from '../pickle/pickle.fixture.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { bunzip2 } from './bzip2.ts';

const EVIL = pickle(PAYLOAD);
const CLEAN = pickle(op('NONE'));

/** `[None]` and `os.system('echo harmless')` as pickles, packed by the programs themselves. */
const PACKED: Readonly<Record<string, readonly [clean: string, evil: string]>> = {
  bzip2: [
    'QlpoOTFBWSZTWagkU8sAAAXXYE4AAAEAAQACIABAAAYAIAAxANNNA0AMkuByKwlLxdyRThQkKgkU8sA=',
    'QlpoOTFBWSZTWZZ72MUAABJT4E8CQEEQACpm3GBCBA4AIAAiJqGmgDT1NG2lNqFAAAAAJGRK0O3ckTceToKjLMUXmP1dCYwinBrRs6P+LuSKcKEhLPexig==',
  ],
  xz: [
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAPgASVBQAAAAAAAABdlE5hLgC1vS1uc4BtUwABKBDlC2xgH7bzfQEAAAAABFla',
    '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAygASVKAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjA1lY2hvIGhhcm1sZXNzlIWUUpQuAABrEQYa9gbi5gABSzPzQtuMH7bzfQEAAAAABFla',
  ],
};

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
    const found = await look(pack(new Uint8Array(4 << 20)), { ratioFrom: 2 ** 20 });
    expect(found).toMatchObject({ verdict: 'suspicious' });
    expect(found.rules).toContain('archive/bomb');
  });
});

it.each([
  ['RAR', 'Rar!\x1a\x07\x01\x00'],
  ['LZ4', '\x04\x22\x4d\x18'],
  ['Git LFS', 'version https://git-lfs.github.com/spec/v1\n'],
])('%s is named and unreadable', async (name, mark) => {
  const result = await scanBytes(new Uint8Array(Buffer.from(`${mark}\xfe\xfe\xfe\xfe`, 'latin1')));
  expect(result).toMatchObject({ verdict: 'unreadable', formats: ['unsupported'] });
  expect(result.findings[0]!.what).toContain(name);
});

describe.each(Object.entries(PACKED))('%s', (format, [clean, evil]) => {
  const look = async (content: Uint8Array) => {
    const result = await scanBytes(content, `model.pkl.${format}`);
    return { verdict: result.verdict, rules: ruleIds(result), formats: result.formats };
  };
  const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

  it('is as clean as what it holds', async () => {
    expect(await look(bytesOf(clean))).toEqual({ verdict: 'clean', rules: [], formats: [format] });
    expect(await look(bytesOf(evil))).toMatchObject({
      verdict: 'malicious',
      rules: ['pickle/dangerous-name'],
    });
  });

  it('is unreadable when it is cut or changed', async () => {
    const whole = bytesOf(clean);
    expect(await look(whole.subarray(0, -6))).toMatchObject({ verdict: 'unreadable' });
    const changed = whole.slice();
    changed[Math.floor(whole.length / 2)]! ^= 0x10;
    expect(await look(changed)).toMatchObject({ verdict: 'unreadable' });
  });
});

describe('bzip2', () => {
  it('unpacks several streams and blocks to the bytes that went in', async () => {
    const packed = Buffer.from(
      'QlpoMTFBWSZTWQ2PcF8AU7BBAEgAPAAgAFBgAmqQ01KBMpKBNupQJ7klAmKiFLVRCl8xQVkmU1kOkbSQAIt7wQBIADwAIABQYAJqpo02KBOVFAmJQJslAnpKBM4lAm1RCl8xQVkmU1l64jHFAA5qQQBIADwAIABQYAJqoZNgUuVApdgUtoFLJCDZCD4u5IpwoSCj+TMy',
      'base64',
    );
    const twice = Buffer.concat([packed, packed]);
    const pieces: Uint8Array[] = [];
    for await (const piece of bunzip2(memorySource(twice, 'x'), 'x')) pieces.push(piece);
    const expected = Buffer.alloc(250_000, 'abcabcabd\0\0\0\0\0\0\0');
    expect(Buffer.concat(pieces).equals(Buffer.concat([expected, expected]))).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { scanBytes } from './scan.fixture.ts';

/** Whether a content that no scanner knows counts as nothing to load. */
const passes = async (content: string | Uint8Array) => {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const { formats, unknown } = await scanBytes(new Uint8Array(bytes), 'x');
  expect(formats).toEqual([]);
  return !unknown;
};

describe('content that nobody knows', () => {
  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['text', 'Hello\r\n\tworld'],
    ['UTF-8, cut at both ends of what is looked at', Buffer.from('ä€'.repeat(60_000))],
    ['a PNG', '\x89PNG\r\n\x1a\n\0\0\0\0'],
    ['a JPEG', '\xff\xd8\xff\xe0\0\0'],
    ['a WebP', 'RIFF\x01\0\0\0WEBPVP8 \0'],
    ['a PDF', '%PDF-1.7\n\0\0'],
    ['a table in Parquet', 'PAR1\0\0\0\0'],
  ])('passes when it is %s', async (_, content) => {
    expect(await passes(content)).toBe(true);
  });

  it.each<[string, string | Uint8Array]>([
    ['bytes', '\xfe\xfe\xfe\xfe\xfe\xfe'],
    ['text with a zero', 'Hello\0world, and more'],
    ['text with bytes behind it', Buffer.concat([Buffer.alloc(5000, 'text '), Buffer.alloc(5000, 0xfe)])],
    ['text in Latin-1', '\xe4\xf6\xfc in the middle \xe4\xf6\xfc of words'],
    ['almost a PNG', '\x89PNG\r\n\x1b\n\0\0\0\0'],
    ['another RIFF', 'RIFF\x01\0\0\0ABCDVP8 \0'],
  ])('does not when it is %s', async (_, content) => {
    expect(await passes(content)).toBe(false);
  });
});

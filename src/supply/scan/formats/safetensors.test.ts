import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { safetensorsScanner } from './safetensors.ts';

const scanners = [safetensorsScanner];
/** A file of a header (an object or text), and so many bytes of tensors. */
function file(header: unknown, data = 24, length?: bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([size, text, Buffer.alloc(data, 1)]);
}
const a = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] };
const b = { dtype: 'I64', shape: [1], data_offsets: [16, 24] };
const ids = async (bytes: Buffer, name = 'm.safetensors') =>
  ruleIds(await scanBytes(bytes, name, { scanners }));

describe('a safetensors file', () => {
  it('is clean as the format has it: in any order, padded, empty, with metadata', async () => {
    const good = [
      file({ b, a, __metadata__: { format: 'pt' } }),
      file(`${JSON.stringify({ a, b })}     `),
      file({}, 0),
      file(
        {
          scalar: { dtype: 'BF16', shape: [], data_offsets: [0, 2] },
          none: { dtype: 'F32', shape: [0, 3], data_offsets: [2, 2] },
        },
        2,
      ),
      file({ half: { dtype: 'F4', shape: [4], data_offsets: [0, 2] } }, 2),
    ];
    for (const bytes of good)
      expect(await scanBytes(bytes, 'x', { scanners })).toMatchObject({
        verdict: 'clean',
        formats: ['safetensors'],
      });
  });

  it.each([
    ['header', file({ a }, 16, 10_000n)],
    ['header', file({ a }, 16, 2n ** 63n)],
    ['header', file('[]', 0)],
    ['header', Buffer.from('short')],
    ['header', Buffer.alloc(0)],
    ['duplicate-name', file(`{"a":${JSON.stringify(a)},"\\u0061":${JSON.stringify(a)}}`, 16)],
    ['layout', file({ a, b: { ...b, data_offsets: [8, 16] } })],
    ['layout', file({ a, b }, 20)],
    ['layout', file({ a: { ...a, data_offsets: [16, 0] } }, 16)],
    ['gap', file({ a, b: { ...b, data_offsets: [20, 28] } }, 28)],
    ['trailing-bytes', file({ a, b }, 25)],
    ['size-mismatch', file({ a: { ...a, shape: [2, 3] } }, 16)],
    ['size-mismatch', file({ a: { ...a, shape: [2 ** 40, 2 ** 40] } }, 16)],
    ['entry', file({ a: { ...a, dtype: 'OBJECT' } }, 16)],
    ['entry', file({ a: { ...a, extra: 1 } }, 16)],
    ['entry', file({ a: { ...a, data_offsets: [0.5, 16] } }, 16)],
    ['entry', file({ __metadata__: { n: 1 } }, 0)],
  ])('is not clean: %s', async (rule, bytes) => {
    const result = await scanBytes(bytes, 'm.safetensors', { scanners });
    expect(ruleIds(result)).toContain(`safetensors/${rule}`);
    expect(result.verdict).not.toBe('clean');
  });

  it('with a header that does not parse is unreadable', async () => {
    expect(await ids(file('{"a": ', 0))).toEqual(['file/damaged']);
  });

  it('made of any bytes throws nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.jsonValue(),
        fc.nat(40),
        async (tail, header, n) => {
          const text = Buffer.from(JSON.stringify({ x: header, ...(n % 2 ? { a } : {}) }));
          const size = Buffer.alloc(8);
          size.writeBigUInt64LE(BigInt(text.length + (n % 3)));
          await scanBytes(Buffer.concat([size, text, tail]), 'm.safetensors', { scanners });
          await scanBytes(tail, 'm.safetensors', { scanners });
        },
      ),
      { numRuns: 100 },
    );
  });
});

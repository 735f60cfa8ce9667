import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { jsonScanner } from './config.ts';
import { ubjsonScanner } from './ubjson.ts';

const size = (n: number) => {
  const bytes = Buffer.alloc(9);
  bytes.write('L');
  bytes.writeBigInt64BE(BigInt(n), 1);
  return bytes;
};
const name = (text: string) => Buffer.concat([size(text.length), Buffer.from(text)]);
const text = (t: string) => Buffer.concat([Buffer.from('S'), name(t)]);
const b = (t: string) => Buffer.from(t, 'latin1');

/** The shapes that XGBoost writes: objects, counted lists of texts, typed lists of numbers, objects in lists. */
const model = Buffer.concat([
  b('{'),
  name('learner'),
  Buffer.concat([
    b('{'),
    name('names'),
    b('[#'),
    size(2),
    text('a'),
    text('b'),
    name('empty'),
    b('[#'),
    size(0),
    b('}'),
  ]),
  name('trees'),
  Buffer.concat([
    b('[#'),
    size(2),
    b('{'),
    name('id'),
    b('i\x01}'),
    b('{'),
    name('left'),
    b('[$d#'),
    size(3),
    Buffer.alloc(12),
    b('}'),
  ]),
  name('version'),
  b('[$L#'),
  size(2),
  Buffer.alloc(16),
  b('}'),
]);
const scan = (bytes: Buffer, file = 'm.ubj') =>
  scanBytes(bytes, file, { scanners: [ubjsonScanner, jsonScanner] });

describe('UBJSON', () => {
  it('as XGBoost writes it is clean, and no JSON', async () => {
    expect(await scan(model)).toMatchObject({ verdict: 'clean', formats: ['ubjson'] });
    expect(await scan(b('{U\x01aZi\x01bT}'))).toMatchObject({ verdict: 'clean', formats: ['ubjson'] });
  });
  it('with something behind it is suspicious', async () => {
    expect(ruleIds(await scan(Buffer.concat([model, b('PK')])))).toEqual(['ubjson/trailing-bytes']);
  });
  it('cut off, with a length past the end, or with an unknown type is unreadable', async () => {
    expect(ruleIds(await scan(model.subarray(0, 60)))).toEqual(['file/damaged']);
    expect(ruleIds(await scan(Buffer.concat([b('{U\x01aS'), size(2 ** 40), b('}')])))).toEqual([
      'file/damaged',
    ]);
    expect(ruleIds(await scan(b('{U\x01aQ}')))).toEqual(['file/damaged']);
  });
  it('nested without end is unreadable', async () => {
    expect(ruleIds(await scan(Buffer.concat([b('{U\x01a'), Buffer.alloc(5000, '[')])))).toEqual([
      'file/damaged',
    ]);
  });
  it('changed in any byte throws nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(model.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(model);
        changed[at] = value;
        expect(ruleIds(await scan(changed))).not.toContain('file/scanner-failed');
      }),
      { numRuns: 150 },
    );
  });
});

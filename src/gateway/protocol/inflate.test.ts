import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';
import { acceptedEncoding, compress, Inflater } from './inflate.ts';

describe('inflating', () => {
  const text = Buffer.from('some text, '.repeat(30_000));
  const most = 1 << 20;

  it('gives the bytes back, two at a time, in memory that is accounted for', async () => {
    const budget = new ByteBudget(1 << 24, 1 << 24);
    const inflater = new Inflater();
    const all = Array.from({ length: 9 }, (_, i) => {
      const lease = budget.lease('');
      const squeezed = i % 2 === 0 ? gzipSync(text) : deflateSync(text);
      return inflater
        .inflate(squeezed, i % 2 === 0 ? 'gzip' : 'deflate', { most, lease, address: `192.0.2.${i}` })
        .then((bytes) => {
          expect(budget.total).toBeGreaterThanOrEqual(text.length);
          lease.end();
          return bytes;
        });
    });
    for (const bytes of await Promise.all(all)) expect(Buffer.compare(bytes as Uint8Array, text)).toBe(0);
    expect(budget.total).toBe(0);
  });

  it('stops where there is no room, and goes on with the next', async () => {
    const inflater = new Inflater();
    const cramped = () => new ByteBudget(100_000, 100_000).lease('');
    const given = Array.from({ length: 4 }, () =>
      inflater.inflate(gzipSync(text), 'gzip', { most, lease: cramped(), address: '' }),
    );
    expect(await Promise.all(given)).toEqual(['busy', 'busy', 'busy', 'busy']);
    const small = await inflater.inflate(gzipSync('x'), 'gzip', { most, lease: cramped(), address: '' });
    expect(small).toEqual(Buffer.from('x'));
  });

  it('and compressing are each other’s inverse', async () => {
    const pieces = [text, Buffer.from('end')];
    expect(gunzipSync(await compress(pieces, 'gzip'))).toEqual(Buffer.concat(pieces));
    expect(inflateSync(await compress(pieces, 'deflate'))).toEqual(Buffer.concat(pieces));
  });
});

it.each([
  [undefined, undefined],
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['deflate, gzip', 'gzip'],
  ['br, deflate;q=0.5', 'deflate'],
  ['gzip;q=0, deflate;q=0.0', undefined],
  ['GZIP', 'gzip'],
  ['*', undefined],
  ['gzipped', undefined],
  [`${'x,'.repeat(200)}gzip`, undefined],
])('who accepts %j gets %j', (header, encoding) => expect(acceptedEncoding(header)).toBe(encoding));

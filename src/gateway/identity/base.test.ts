import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyText } from '../../core/key-text.ts';
import { presentedBy } from './bearer.ts';
import { countFailures } from './failures.ts';
import { neighbourhoodOf, plainAddress } from './network-address.ts';
import { recentMap } from './recent-map.ts';

describe('a map of recent things', () => {
  it('never holds more than it may, and keeps what is used', () => {
    const map = recentMap<number>(100);
    map.set('kept', 1);
    for (let i = 0; i < 10_000; i++) {
      map.set(`x${i}`, i);
      expect(map.size).toBeLessThanOrEqual(100);
      expect(map.get('kept')).toBe(1);
    }
    expect(map.get('x9999')).toBe(9999);
    expect(map.get('x1')).toBeUndefined();
  });

  it('holds one value a key, and forgets on demand', () => {
    const map = recentMap<number>(4);
    for (const key of ['a', 'b', 'c', 'a']) map.set(key, key.charCodeAt(0));
    map.set('a', 7);
    expect(map.get('a')).toBe(7);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    map.clear();
    expect([map.size, map.get('c')]).toEqual([0, undefined]);
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
    ['2001:DB8::00ff', '2001:db8:0:0:0:0:0:ff'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0:0:0:c000:201'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['', undefined],
    ['localhost', undefined],
    ['192.0.2.1:80', undefined],
    ['0x7f.1', undefined],
    ['192.0.2.1\n', undefined],
    ['1::2::3', undefined],
  ])('%s is %s', (text, plain) => {
    expect(plainAddress(text)).toBe(plain);
  });

  it('has one plain form, which is itself plain', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const plain = plainAddress(text);
        expect(plain).toBeDefined();
        expect(plainAddress(plain!)).toBe(plain);
      }),
    );
  });

  it('is a neighbour of the others of its /64, and of nobody else', () => {
    expect(neighbourhoodOf('2001:db8:0:1::5')).toBe(neighbourhoodOf('2001:db8:0:1:ffff::1'));
    expect(neighbourhoodOf('2001:db8:0:1::5')).not.toBe(neighbourhoodOf('2001:db8:0:2::5'));
    expect(neighbourhoodOf('192.0.2.1')).not.toBe(neighbourhoodOf('192.0.2.2'));
    expect(neighbourhoodOf('no address')).toBe('?no address');
  });
});

describe('failed attempts', () => {
  it('make an address wait when there were too many, and drain', () => {
    let at = 0;
    const failures = countFailures({ burst: 3, perMinute: 6 }, () => at);
    for (let i = 0; i < 3; i++) {
      expect(failures.wait('192.0.2.1')).toBeUndefined();
      failures.add('192.0.2.1');
    }
    expect(failures.wait('192.0.2.1')).toBe(10);
    expect(failures.wait('192.0.2.2')).toBeUndefined();
    at = 10_000;
    expect(failures.wait('192.0.2.1')).toBeUndefined();
  });

  it('never shut anybody out for longer than one takes to drain', () => {
    const failures = countFailures({ burst: 3, perMinute: 6 }, () => 0);
    for (let i = 0; i < 1000; i++) failures.add('2001:db8::1');
    expect(failures.wait('2001:db8::ffff')).toBe(10);
  });
});

describe('an Authorization header', () => {
  const key = keyText('a'.repeat(11), 'b'.repeat(43));

  it.each([
    [undefined, 'nothing'],
    [`Bearer ${key}`, 'key'],
    [`bearer  ${key}`, 'key'],
    ['Bearer a.b.c', 'token'],
    ['', 'unusable'],
    ['Bearer ', 'unusable'],
    ['Bearer a.b', 'unusable'],
    ['Bearer a.b.c.d', 'unusable'],
    ['Bearer a.b.c x', 'unusable'],
    ['Bearer a.b.c\n', 'unusable'],
    ['Basic YTpi', 'unusable'],
    [key, 'unusable'],
    ['Bearer glacis_x.y.z', 'key'],
    [`Bearer ${'a'.repeat(9000)}`, 'unusable'],
  ])('%s presents %s', (text, kind) => {
    expect(presentedBy(text, 8192).kind).toBe(kind);
  });
});

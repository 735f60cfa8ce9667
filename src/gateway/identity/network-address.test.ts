import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neighbourhoodOf, plainAddress } from './network-address.ts';

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

import { describe, expect, it } from 'vitest';
import { addressKey } from './address-key.ts';

describe('the key of an address', () => {
  it('is an IPv4 address itself, however it is written', () => {
    for (const text of [
      '192.0.2.7',
      '::ffff:192.0.2.7',
      '::FFFF:c000:207',
      '0:0:0:0:0:ffff:192.0.2.7',
      '64:ff9b::192.0.2.7',
    ])
      expect(addressKey(text, 64), text).toBe('192.0.2.7');
  });

  it('is the network of an IPv6 address', () => {
    const key = addressKey('2001:db8:1:2::1', 64);
    expect(addressKey('2001:DB8:1:2:ffff:1:2:3', 64)).toBe(key);
    expect(addressKey('2001:0db8:0001:0002::%eth0', 64)).toBe(key);
    expect(addressKey('2001:db8:1:3::1', 64)).not.toBe(key);
    expect(addressKey('2001:db8:1:3::1', 63)).toBe(addressKey('2001:db8:1:2::1', 63));
    expect(addressKey('2001:db8:1:3::1', 48)).toBe(addressKey('2001:db8:1:2::1', 48));
    expect(addressKey('2001:db8::1', 128)).not.toBe(addressKey('2001:db8::2', 128));
    expect(addressKey('::', 64)).toBe(addressKey('::1', 64));
  });

  it('is one for all that are no addresses', () => {
    for (const text of [
      '',
      'x',
      '1.2.3',
      '1.2.3.999',
      ':::',
      '1::2::3',
      '1:2',
      '1:2:3:4:5:6:7:8:9',
      '1::1.2.3.4:5',
      'g::',
      '::12345',
      'a'.repeat(100),
    ])
      expect(addressKey(text, 64), text).toBe('other');
  });
});

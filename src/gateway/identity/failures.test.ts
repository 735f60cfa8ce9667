import { describe, expect, it } from 'vitest';
import { countFailures } from './failures.ts';

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

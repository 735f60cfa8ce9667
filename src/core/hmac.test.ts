import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hmac } from './hmac.ts';

it('is HMAC-SHA-256, whatever the lengths', () => {
  const bytes = (most: number) => fc.uint8Array({ maxLength: most });
  fc.assert(
    fc.property(bytes(200), bytes(300), fc.string(), (key, first, second) => {
      const expected = createHmac('sha256', key).update(first).update(second).digest();
      expect(hmac(key, first, second)).toEqual(expected);
    }),
  );
});

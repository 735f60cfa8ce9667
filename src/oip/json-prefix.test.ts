import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import type { Source } from './fault.ts';
import { jsonPrefix } from './json-prefix.ts';

const SOURCE: Source = { where: 'body', code: 'request/invalid' };
const bytes = (text: string) => new TextEncoder().encode(text);

describe('the end of the JSON before binary tensors', () => {
  it('is that of its object, whatever its texts hold and whatever follows', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.uint8Array(), (object, rest) => {
        const json = bytes(` \n${JSON.stringify(object)}`);
        expect(jsonPrefix(Buffer.concat([json, rest]), SOURCE)).toBe(json.length);
      }),
    );
    expect(jsonPrefix(bytes('{"a\\"}":"\\\\"}}}'), SOURCE)).toBe(13);
  });

  it('is an error where nothing begins or nothing ends', () => {
    for (const text of ['', ' ', '[{}]', 'x{}', '{', '{"a":[}', '{"}', '{"a":"\\"}'])
      expect(() => jsonPrefix(bytes(text), SOURCE), text).toThrowError(
        expect.objectContaining({ code: 'request/invalid' }),
      );
  });

  it('is found in one pass, and throws nothing else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (given) => {
        try {
          const end = jsonPrefix(Uint8Array.of(0x7b, ...given), SOURCE);
          expect(end).toBeLessThanOrEqual(given.length + 1);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
        }
      }),
    );
    const started = performance.now();
    expect(() => jsonPrefix(bytes('{'.repeat(2_000_000)), SOURCE)).toThrow('without an end');
    expect(() => jsonPrefix(bytes(`{"${'\\'.repeat(2_000_001)}"`), SOURCE)).toThrow('without an end');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

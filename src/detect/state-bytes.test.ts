import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { stateFromBytes, stateToBytes, takeUp } from './state-bytes.ts';

const state = {
  kind: 'a/1',
  plain: { list: [1, 'x', null] },
  arrays: {
    f: Float32Array.of(1.5, -0, Number.NaN),
    d: Float64Array.of(Math.PI),
    u: Uint32Array.of(2 ** 32 - 1),
    i: Int32Array.of(-1),
    b: Uint8Array.of(1, 2, 3),
    none: new Float32Array(0),
  },
};

describe('state bytes', () => {
  test('come back as they were, wherever the bytes lie', () => {
    const bytes = stateToBytes(state);
    const elsewhere = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    expect(stateFromBytes('a/1', elsewhere)).toEqual(state);
  });

  test('what is read does not share memory with the bytes', () => {
    const bytes = Buffer.from(stateToBytes(state));
    const { arrays } = stateFromBytes('a/1', bytes);
    bytes.fill(0);
    expect(arrays.d).toEqual(state.arrays.d);
  });

  test('every shorter or longer file is refused: a state that was cut off is no empty memory', () => {
    const bytes = stateToBytes(state);
    for (let n = 0; n < bytes.length; n++)
      expect(() => stateFromBytes('a/1', bytes.subarray(0, n))).toThrow(
        expect.objectContaining({ code: 'result/invalid' }),
      );
    expect(() => stateFromBytes('a/1', Buffer.concat([bytes, Buffer.of(0)]))).toThrow('left over');
  });

  test('another kind is refused', () => {
    expect(() => stateFromBytes('b/1', stateToBytes(state))).toThrow('a/1');
  });

  test('any bytes give a state or the one error', () => {
    const bytes = stateToBytes(state);
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.nat(255),
        fc.uint8Array({ maxLength: 64 }),
        (at, value, other) => {
          const changed = Uint8Array.from(bytes);
          changed[at] = value;
          for (const each of [changed, other])
            try {
              stateFromBytes('a/1', each);
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(GlacisError);
            }
        },
      ),
    );
  });

  test('an array of another length or type is not taken up', () => {
    expect(() => takeUp('a/1', state.arrays, 'f', new Float32Array(2))).toThrow('other settings');
    expect(() => takeUp('a/1', state.arrays, 'f', new Uint32Array(3))).toThrow('other settings');
    expect(() => takeUp('a/1', state.arrays, 'toString', new Uint32Array(3))).toThrow('other settings');
  });
});

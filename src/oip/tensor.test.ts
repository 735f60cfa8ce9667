import { describe, expect, it } from 'vitest';
import { floatsOf, floatTensor, type Tensor } from './index.ts';

describe('numbers of a tensor', () => {
  const tensor = (datatype: string, data: unknown) => ({ name: 'x', datatype, shape: [2], data }) as Tensor;

  it.each<[string, unknown, readonly number[]]>([
    ['FP32', Float32Array.of(0.5, -1), [0.5, -1]],
    ['FP64', Float64Array.of(0.1, -1), [Math.fround(0.1), -1]],
    ['FP16', Uint16Array.of(0x3c00, 0xfbff), [1, -65504]],
    ['BF16', Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ['INT8', Int8Array.of(-128, 127), [-128, 127]],
    ['UINT32', Uint32Array.of(0, 2 ** 31), [0, 2 ** 31]],
    ['INT64', BigInt64Array.of(-3n, 4n), [-3, 4]],
    ['BOOL', Uint8Array.of(1, 0), [1, 0]],
  ])('are float32: %s', (datatype, data, expected) => {
    expect(floatsOf(tensor(datatype, data))).toEqual(Float32Array.from(expected));
  });

  it('are not in text', () => {
    expect(() => floatsOf(tensor('BYTES', [new Uint8Array(), new Uint8Array()]))).toThrow(
      expect.objectContaining({
        code: 'data/mismatch',
        message: 'tensor x: expected numbers, got BYTES (text)',
      }),
    );
  });
});

describe('a float tensor', () => {
  it.each(['FP16', 'BF16', 'FP32', 'FP64'] as const)('holds what fits into %s exactly', (datatype) => {
    const values = Float32Array.of(0.5, -2, Number.POSITIVE_INFINITY);
    expect(floatsOf(floatTensor('x', datatype, [3], values))).toEqual(values);
  });

  it('is refused where a value would become infinite', () => {
    expect(() => floatTensor('x', 'FP16', [2], Float32Array.of(1, 70_000))).toThrow(
      expect.objectContaining({
        code: 'data/mismatch',
        message: expect.stringContaining('element 1 is beyond'),
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { attributesFrom, attributesOf } from '../../onnx/attributes.ts';
import { tuples, windowOf } from './window.ts';

const read = (
  attributes: Parameters<typeof attributesFrom>[0],
  spatial: readonly number[],
  kernel: readonly number[],
) =>
  windowOf(attributesOf({ op: 'Conv', name: 'it', attributes: attributesFrom(attributes) }), spatial, kernel);

describe('windowOf', () => {
  it('has stride and dilation 1 and no pads unless they are given', () => {
    expect(read({}, [5, 6], [3, 2])).toEqual({
      kernel: [3, 2],
      strides: [1, 1],
      dilations: [1, 1],
      before: [0, 0],
      after: [0, 0],
    });
  });

  it('splits pads into those in front and those behind', () => {
    const { before, after } = read({ pads: [1, 2, 3, 4] }, [5, 6], [3, 2]);
    expect([before, after]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  // onnx.ai, Conv: SAME_UPPER pads the odd one at the end, SAME_LOWER at the beginning.
  it.each([
    ['SAME_UPPER', [0, 1], [1, 1]],
    ['SAME_LOWER', [1, 1], [0, 1]],
    ['VALID', [0, 0], [0, 0]],
  ] as const)('resolves %s', (autoPad, before, after) => {
    expect(read({ auto_pad: autoPad, strides: [2, 1] }, [6, 5], [3, 3])).toMatchObject({ before, after });
  });

  it('refuses another auto_pad', () => {
    expect(() => read({ auto_pad: 'SAME' }, [5], [3])).toThrow(
      'auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, got SAME',
    );
  });
});

describe('tuples', () => {
  it('counts with the last axis fastest', () => {
    expect([...tuples([2, 3])]).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
  });

  it('gives one empty tuple for no axes and none for an empty axis', () => {
    expect([...tuples([])]).toEqual([[]]);
    expect([...tuples([2, 0])]).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { opsOn } from '../ops.ts';
import { reasonAgainst } from './reasons.ts';
import { vjp } from './vjp.ts';

describe('operators without a gradient rule', () => {
  it('are named with the reason, where there is one', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1, 2, 6, 6]);
    const rois = b.builder.input('rois', 'float32', [3, 5]);
    const y = b.node('MaxRoiPool', [x, rois], { pooled_shape: [2, 2] });
    expect(() => vjp(b, [{ value: y, grad: b.full(y.dims, 1, 'float32') }], [x])).toThrow(
      /MaxRoiPool.*regions that depend on the data/,
    );
  });

  it('of other domains have no reason of their own', () => {
    expect(reasonAgainst('com.example', 'RoiAlign')).toBe('no gradient rule for this operator');
  });
});

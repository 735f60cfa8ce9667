import { describe, expect, it } from 'vitest';
import { DTYPE_CODES } from '../../src/onnx/dtype.ts';
import { GraphBuilder, type Value } from '../../src/onnx/graph-builder.ts';
import { boolTensor, int64Tensor, tensorFrom } from '../../src/onnx/tensor.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { type Ops, opsOn } from '../../src/transform/ops.ts';
import { evaluate } from '../reference/evaluate.ts';

const fresh = () => opsOn(new GraphBuilder());
const ones = (b: Ops, y: Value) => b.full(y.dims, 1, y.dtype);

/** The gradient of `Σ y` with respect to `x`, in float64. */
function gradient(
  b: Ops,
  x: Value,
  y: Value,
  values: readonly number[],
  options: Parameters<typeof vjp>[3] = {},
): number[] {
  const grads = vjp(b, [{ value: y, grad: ones(b, y) }], [x], options);
  const model = b.builder.build({ grad: grads[0]! });
  const input = { dims: x.dims, dtype: x.dtype, data: Float64Array.from(values) };
  return Array.from(evaluate(model, new Map([[x.name, input]])).get('grad')!.data);
}

describe('Dropout', () => {
  const training = (b: Ops, x: Value, outputs: number) =>
    b.nodes(
      'Dropout',
      [x, b.scalar(0.25, 'float32'), b.builder.constant(boolTensor([], [true]))],
      {},
      { outputs },
    );

  it('passes the gradient in training where its mask kept the element, scaled', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [4]);
    const [y, mask] = training(b, x, 2);
    const [grad] = vjp(b, [{ value: y!, grad: ones(b, y!) }], [x]);
    const product = b.mul(b.cast(mask!, 'float32'), 1 / 0.75);
    const model = b.builder.build({ grad: grad!, product });
    const values = evaluate(
      model,
      new Map([['x', { dims: [4], dtype: 'float32', data: new Float64Array(4) }]]),
    );
    expect(Array.from(values.get('grad')!.data)).toEqual(Array.from(values.get('product')!.data));
    expect(model.graph.nodes.some((n) => n.inputs.includes(mask!.name))).toBe(true);
  });

  it('names the mask that it needs when a node in training does not give it', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [4]);
    const [y] = training(b, x, 1);
    expect(() => vjp(b, [{ value: y!, grad: ones(b, y!) }], [x])).toThrow(
      /Dropout.*second output, the mask/s,
    );
  });
});

describe('gradients at infinities and through steps', () => {
  it('are zero and not NaN where every input of ReduceLogSumExp is −∞', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2]);
    const low = Number.NEGATIVE_INFINITY;
    expect(gradient(b, x, b.node('ReduceLogSumExp', [x], { keepdims: 0 }), [low, low])).toEqual([0, 0]);
  });

  it('stop at integers', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2]);
    const whole = b.cast(b.node('Cast', [x], { to: DTYPE_CODES.int64 }), 'float32');
    expect(gradient(b, x, b.add(b.mul(x, 3), whole), [1.5, 2.5])).toEqual([3, 3]);
  });

  it('pass comparisons that become numbers straight through where they are near, and else not at all', () => {
    const at = [0.5, 0, 2, -3];
    const through = (piece: (b: Ops, x: Value) => Value, values: readonly number[] = at) => {
      const b = fresh();
      const x = b.builder.input('x', 'float32', [values.length]);
      const y = b.mul(piece(b, x), 3);
      expect(gradient(b, x, y, values)).toEqual(values.map(() => 0));
      return gradient(b, x, y, values, { rounding: 'straight-through' });
    };
    const above = (b: Ops, x: Value) => b.compare('Greater', x, 0.25);
    const [up, down] = [
      [1.5, 1.5, 0, 0],
      [-1.5, -1.5, 0, 0],
    ];
    expect(through((b, x) => b.cast(above(b, x), 'float32'))).toEqual(up);
    expect(through((b, x) => b.cast(b.unary('Not', above(b, x)), 'float32'))).toEqual(down);
    expect(through((b, x) => b.cast(b.compare('LessOrEqual', x, 0.25), 'float32'))).toEqual(down);
    const other = (b: Ops, x: Value) => b.compare('GreaterOrEqual', b.scalar(0.25, 'float32'), x);
    expect(through((b, x) => b.cast(other(b, x), 'float32'))).toEqual(down);
    const choice = (b: Ops, x: Value) => b.where(above(b, x), b.scalar(5, 'float32'), 1);
    expect(through(choice)).toEqual([6, 6, 0, 0]);
    const whole = (b: Ops, x: Value) => b.cast(b.cast(b.mul(x, 2), 'int32'), 'float32');
    expect(through(whole)).toEqual([6, 6, 6, 6]);
    const summed = (b: Ops, x: Value) => {
      const levels = b.builder.constant(tensorFrom('float32', [2, 1], [0.25, 0.5]));
      return b.sum(b.cast(b.compare('Greater', x, levels), 'float32'), [0]);
    };
    expect(through(summed, [0.3, 1.4])).toEqual([3, 1.5]);
  });

  it('leave switches alone, straight through or not', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2]);
    const above = b.compare('Greater', x, 0.25);
    const y = b.add(b.mul(x, b.cast(above, 'float32')), b.where(above, x, 0));
    expect(gradient(b, x, y, [0.5, 0], { rounding: 'straight-through' })).toEqual([2, 0]);
  });

  it('pass Hardmax straight through as those of Softmax', () => {
    const hard = fresh();
    const soft = fresh();
    const weighted = (b: Ops, op: string) => {
      const x = b.builder.input('x', 'float32', [3]);
      const weights = b.builder.constant(tensorFrom('float32', [3], [1, -2, 5]));
      return gradient(b, x, b.mul(b.node(op, [x]), weights), [0.5, 1, -1], { rounding: 'straight-through' });
    };
    const got = weighted(hard, 'Hardmax');
    expect(got).toEqual(weighted(soft, 'Softmax'));
    expect(got.some((v) => v !== 0)).toBe(true);
  });
});

describe('what cannot be differentiated', () => {
  it('is a reduction over axes that depend on the data', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2, 3]);
    const axes = b.builder.input('axes', 'int64', [1]);
    const [y] = b.builder.add('ReduceSum', [x, axes], {}, { types: [{ dtype: 'float32', dims: [2, 1] }] });
    expect(() => vjp(b, [{ value: y!, grad: ones(b, y!) }], [x])).toThrow(/axes depend on the data/);
  });

  it('is, per sample, a matrix that has the batch itself', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2, 3, 4]);
    const w = b.builder.input('w', 'float32', [2, 4, 5]);
    const y = b.matmul(x, w);
    const cotangent = { value: y, grad: ones(b, y) };
    expect(() => vjp(b, [cotangent], [w], { perSample: [w] })).toThrow(/per sample: expected a matrix/);
    expect(vjp(b, [cotangent], [w])[0]!.dims).toEqual([2, 4, 5]);
  });

  it('is, per sample, the left matrix of Gemm and an Einsum operand with the batch letter', () => {
    const b = fresh();
    const a = b.builder.input('a', 'float32', [2, 3]);
    const w = b.builder.input('w', 'float32', [3, 4]);
    const y = b.node('Gemm', [a, w]);
    expect(() => vjp(b, [{ value: y, grad: ones(b, y) }], [a], { perSample: [a] })).toThrow(/batch as rows/);
    const z = b.node('Einsum', [a, w], { equation: 'bi,ij->bj' });
    expect(() => vjp(b, [{ value: z, grad: ones(b, z) }], [a], { perSample: [a] })).toThrow(
      /batch as the first letter/,
    );
  });
});

describe('constant axes', () => {
  it('may be an input that was folded to a constant', () => {
    const b = fresh();
    const x = b.builder.input('x', 'float32', [2, 3]);
    const axes = b.sub(b.builder.constant(int64Tensor([1], [2])), 1);
    expect(gradient(b, x, b.node('ReduceMax', [x, axes]), [1, 3, 2, 4, 4, 0])).toEqual([
      0, 1, 0, 0.5, 0.5, 0,
    ]);
  });
});

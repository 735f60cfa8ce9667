import { describe, expect, it } from 'vitest';
import { float } from '../onnx/attributes.ts';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import { boolTensor, float32Tensor, int64Tensor } from '../onnx/tensor.ts';
import { type Obstacles, obstaclesIn } from './obstacles.ts';
import { type Ops, opsOn } from './ops.ts';

const NONE: Obstacles = { stepped: [], cut: [], random: [], saturating: [] };

/** What is found in a model that is `piece` and a product behind it. */
function found(piece: (b: Ops, x: Value) => Value): Obstacles {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [2, 3]);
  const weights = b.builder.constant(float32Tensor([3, 2], [1, 2, 3, 4, 5, 6]));
  return obstaclesIn(b.builder.nodes, x, b.matmul(piece(b, x), weights));
}

const above = (b: Ops, x: Value, at: number) => b.compare('Greater', x, at);

describe('obstacles to a gradient', () => {
  it('are none in what networks are made of', () => {
    expect(found((b, x) => b.unary('Exp', b.unary('Relu', x)))).toEqual(NONE);
    expect(found((b, x) => b.where(above(b, x, 0), x, 0))).toEqual(NONE);
    expect(found((b, x) => b.node('Softmax', [x]))).toEqual(NONE);
    expect(found((b, x) => b.node('Dropout', [x]))).toEqual(NONE);
  });

  it.each(['Round', 'Floor', 'Ceil', 'Sign', 'Hardmax'])('are the steps of %s', (op) => {
    expect(found((b, x) => b.unary('Exp', b.unary(op, x)))).toEqual({ ...NONE, stepped: [op] });
  });

  it('are comparisons and whole numbers that become numbers again, which are passed straight through', () => {
    const stepped = (...ops: readonly string[]) => ({ ...NONE, stepped: ops });
    expect(found((b, x) => b.cast(above(b, x, 0.5), 'float32'))).toEqual(stepped('Greater'));
    const bright = (b: Ops, x: Value) => b.where(above(b, x, 0), b.full([2, 3], 1, 'float32'), 0);
    expect(found(bright)).toEqual(stepped('Greater'));
    const dark = (b: Ops, x: Value) =>
      b.cast(b.reshape(b.unary('Not', b.compare('Less', x, 0.5)), [2, 3]), 'float32');
    expect(found(dark)).toEqual(stepped('Less'));
    expect(found((b, x) => b.cast(b.cast(b.mul(x, 9), 'int32'), 'float32'))).toEqual(stepped('Cast'));
  });

  it('are cuts where comparisons have no direction, are joined, or become numbers that are infinite', () => {
    const cut = (...ops: readonly string[]) => ({ ...NONE, cut: ops });
    expect(found((b, x) => b.cast(b.compare('Equal', x, 0), 'float32'))).toEqual(cut('Cast'));
    const between = (b: Ops, x: Value) =>
      b.cast(b.node('And', [above(b, x, 0), b.compare('Less', x, 1)]), 'float32');
    expect(found(between)).toEqual(cut('Cast'));
    const low = Number.NEGATIVE_INFINITY;
    const mask = (b: Ops, x: Value) => b.add(x, b.where(above(b, x, 0), b.scalar(low, 'float32'), 0));
    expect(found(mask)).toEqual(cut('Where'));
    const classes = (b: Ops, x: Value) => b.cast(b.node('ArgMax', [x]), 'float32');
    expect(found(classes)).toEqual(cut('Cast'));
  });

  it('are tables that are read by number', () => {
    const table = (b: Ops, x: Value) => {
      const levels = b.builder.constant(float32Tensor([4], [0, 0.1, 0.5, 1]));
      return b.node('Gather', [levels, b.cast(b.mul(x, 3), 'int64')]);
    };
    expect(found(table)).toEqual({ ...NONE, cut: ['Gather'] });
  });

  it('are not functions that saturate, which are named by themselves', () => {
    const net = (b: Ops, x: Value) =>
      b.unary('Tanh', b.add(b.unary('Sigmoid', x), b.unary('Sigmoid', b.mul(x, 2))));
    expect(found(net)).toEqual({ ...NONE, saturating: ['Sigmoid', 'Tanh'] });
  });

  it('are named once, however much comes behind them', () => {
    const twice = (b: Ops, x: Value) =>
      b.unary('Exp', b.add(b.unary('Round', x), b.unary('Round', b.mul(x, 2))));
    expect(found(twice).stepped).toEqual(['Round']);
  });

  it('are no switches: a sign or comparison that only multiplies what has a gradient', () => {
    expect(found((b, x) => b.mul(x, b.unary('Sign', x)))).toEqual(NONE);
    expect(found((b, x) => b.mul(x, b.cast(above(b, x, 0), 'float32')))).toEqual(NONE);
    // Two steps that multiply each other leave nothing smooth, and rounding is a step whatever it multiplies.
    const steps = (b: Ops, x: Value) =>
      b.mul(b.cast(above(b, x, 0), 'float32'), b.cast(above(b, x, 1), 'float32'));
    expect(found(steps)).toEqual({ ...NONE, stepped: ['Greater'] });
    const scaled = (b: Ops, x: Value) => {
      const scale = b.reduceMax(x, [1], true);
      return b.mul(b.unary('Round', b.div(x, scale)), scale);
    };
    expect(found(scaled).stepped).toEqual(['Round']);
  });

  it('are not those beside the way: steps of shapes, of constants, and of what no output needs', () => {
    const beside = (b: Ops, x: Value) => {
      b.unary('Round', x);
      b.node('RandomNormalLike', [x]);
      const length = b.cast(b.node('Shape', [x]), 'float32');
      return b.add(x, b.reduceMax(b.unary('Floor', length), [0], true));
    };
    expect(found(beside)).toEqual(NONE);
  });

  it('are random draws, whether or not they see the input', () => {
    expect(found((b, x) => b.add(x, b.node('RandomNormalLike', [x]))).random).toEqual(['RandomNormalLike']);
    const alone = (b: Ops, x: Value) =>
      b.mul(x, b.node('RandomUniform', [], { shape: [2, 3], low: float(0), high: float(1) }));
    expect(found(alone).random).toEqual(['RandomUniform']);
    expect(found((b, x) => b.node('Bernoulli', [b.unary('Sigmoid', x)])).random).toEqual(['Bernoulli']);
  });

  it('are dropouts in training only', () => {
    const dropout = (training: boolean, ratio: number) => (b: Ops, x: Value) =>
      b.nodes(
        'Dropout',
        [x, b.builder.constant(float32Tensor([], [ratio])), b.builder.constant(boolTensor([], [training]))],
        {},
        { outputs: 2 },
      )[0]!;
    expect(found(dropout(true, 0.5)).random).toEqual(['Dropout']);
    expect(found(dropout(false, 0.5)).random).toEqual([]);
    expect(found(dropout(true, 0)).random).toEqual([]);
  });

  it('take time in proportion to the graph', () => {
    const b = opsOn(new GraphBuilder());
    const x = b.builder.input('x', 'float32', [1]);
    let y = x;
    for (let i = 0; i < 4000; i++) y = b.add(b.cast(above(b, x, i), 'float32'), y);
    const index = b.builder.constant(int64Tensor([1], [0]));
    const { stepped } = obstaclesIn(b.builder.nodes, x, b.node('Gather', [y, index]));
    expect(stepped).toEqual(['Greater']);
  });
});

import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Ops } from '../../ops.ts';
import { defineRule, type RuleContext } from '../rule.ts';
import { windowOf } from '../window.ts';
import { firstShares } from './first-max.ts';

/** Most elements of a sliding window's sides together that are gone through one by one. */
const MOST_TAPS = 8;

/**
 * `y` = maximum of each window: `x̄` gets each window's `g` at the first largest element, in row-major order of the
 * window, as in PyTorch.
 */
export const maxPool = defineRule({
  op: 'MaxPool',
  since: 8,
  note: 'x̄ = g added at the first maximum of each window; any rank, pads, strides, dilations, ceil_mode',
  grad: (context) => {
    const { b, attrs, input, outputs, outGrads } = context;
    const x = input(0);
    const g = outGrads[0];
    if (!g) return [null];
    if (elementCount(g.dims) === 0) return [b.zerosLike(x)];
    const { kernel, strides, dilations, before } = windowOf(
      attrs,
      x.dims.slice(2),
      attrs.ints('kernel_shape'),
    );
    const k = kernel[0]!;
    const tiles =
      kernel.length === 2 &&
      k > 1 &&
      [...kernel, ...strides].every((v) => v === k) &&
      dilations.every((d) => d === 1) &&
      before.every((p) => p === 0) &&
      g.dims.every((d, a) => a < 2 || d * k <= x.dims[a]!);
    if (tiles && (x.dtype === 'float32' || x.dtype === 'float64'))
      return [fromTiles(b, x, outputs[0]!, g, k)];
    const slides =
      kernel.length > 0 &&
      [...strides, ...dilations].every((v) => v === 1) &&
      kernel.reduce((sum, v) => sum + v, 0) <= MOST_TAPS &&
      kernel.every((v, a) => before[a] === 0 && g.dims[a + 2] === x.dims[a + 2]! - v + 1);
    if (slides && x.dtype === 'float32') return [fromSlides(b, x, g, kernel)];
    return [fromIndices(context, x, g)];
  },
});

/**
 * Square windows that tile the plane: element by element of the window, all windows at once, compares with the maximum
 * and takes `g` away once it is given. Twice as fast as going through indices.
 */
function fromTiles(b: Ops, x: Value, y: Value, g: Value, k: number): Value {
  const c = x.dims[1]!;
  const used = b.slice(b.slice(x, 2, 0, y.dims[2]! * k), 3, 0, y.dims[3]! * k);
  const elements = b.split(
    b.node('SpaceToDepth', [used], { blocksize: k }),
    1,
    new Array<number>(k * k).fill(c),
  );
  let left = g;
  const parts = elements.map((element, i) => {
    if (i === elements.length - 1) return left;
    const part = b.where(b.compare('Equal', element, y), left, 0);
    left = b.sub(left, part);
    return part;
  });
  const spread = b.node('DepthToSpace', [b.concat(parts, 1)], { blocksize: k, mode: 'DCR' });
  return b.pad(
    spread,
    [0, 0, 0, 0],
    x.dims.map((d, a) => d - spread.dims[a]!),
  );
}

/**
 * Windows at every place: a window's maximum is the maximum over rows of the maxima in them, so the gradient goes back one axis after another, and on one axis element
 * by element of the window. The first maximum in row-major order is the first of the first row that has it. Through indices it takes three times as long.
 */
function fromSlides(b: Ops, x: Value, g: Value, kernel: readonly number[]): Value {
  // The maxima over the last axes, one axis more each time; the last is the pooling itself.
  const maxima = [x];
  const axes = kernel.flatMap((k, a) => (k > 1 ? [a + 2] : [])).reverse();
  for (const axis of axes) {
    const below = maxima.at(-1)!;
    const window = kernel.map((k, a) => (a + 2 === axis ? k : 1));
    maxima.push(b.node('MaxPool', [below], { kernel_shape: window }));
  }
  let slope = g;
  for (const [i, axis] of [...axes.entries()].reverse()) {
    const [below, above] = [maxima[i]!, maxima[i + 1]!];
    const [width, places] = [kernel[axis - 2]!, above.dims[axis]!];
    // The last gets what the others leave: nobody looks at its values.
    const elements = Array.from({ length: width }, (_, t) =>
      t === width - 1 ? above : b.slice(below, axis, t, t + places),
    );
    const parts = firstShares(b, elements, above, slope).map((part, t) =>
      b.pad(
        part,
        part.dims.map((_, a) => (a === axis ? t : 0)),
        part.dims.map((_, a) => (a === axis ? width - 1 - t : 0)),
      ),
    );
    slope = parts.reduce((sum, part) => b.add(sum, part));
  }
  return slope;
}

/** The runtime's own indices of the maxima in the flat input, to which `g` is added. */
function fromIndices({ b, node }: RuleContext, x: Value, g: Value): Value {
  const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== 'storage_order'));
  const at = b.nodes('MaxPool', [x], attributes, { outputs: 2, name: node.name })[1]!;
  const count = elementCount(g.dims);
  const flat = b.node(
    'ScatterElements',
    [b.full([elementCount(x.dims)], 0, g.dtype), b.reshape(at, [count]), b.reshape(g, [count])],
    { axis: 0, reduction: 'add' },
  );
  return b.reshape(flat, x.dims);
}

import type { Value } from '../../../onnx/graph-builder.ts';
import { elementCount, int64Tensor, stridesOf, tensorFrom } from '../../../onnx/tensor.ts';
import { gridTaps } from '../grid-taps.ts';
import { defineRule } from '../rule.ts';

/**
 * `y[n, c, p]` = `x[n, c]` interpolated at `grid[n, p]`: a sum over taps, the product of one tap an axis. `x̄` adds `g`
 * times the weights at the taps' elements; `grid̅` is `Σ_c g x` there times the derivative of the weights.
 */
export const gridSample = defineRule({
  op: 'GridSample',
  since: 16,
  note: 'x̄ = g times the weights, added at the elements read; grid̅ = Σ_c g x times the weights’ derivatives; 2-D and 3-D, all modes and paddings',
  grad: ({ b, attrs, input, outGrads: [g], needs }) => {
    const [x, grid] = [input(0), input(1)];
    const [n, c] = [x.dims[0]!, x.dims[1]!];
    const sizes = x.dims.slice(2);
    const rank = sizes.length;
    if (elementCount(g!.dims) === 0 || elementCount(x.dims) === 0)
      return [needs[0] ? b.zerosLike(x) : null, needs[1] ? b.zerosLike(grid) : null];
    const points = elementCount(grid.dims) / rank;
    const coordinates = b.split(
      b.cast(b.reshape(grid, [points, rank]), x.dtype),
      1,
      new Array<number>(rank).fill(1),
    );
    const how = {
      mode: attrs.string('mode', 'linear'),
      padding: attrs.string('padding_mode', 'zeros'),
      alignCorners: attrs.int('align_corners', 0) !== 0,
    };
    // The grid's last axis names the image's axes from the last to the first.
    const axes = sizes.map((size, a) =>
      gridTaps(b, b.reshape(coordinates[rank - 1 - a]!, [points]), { ...how, size }),
    );
    const along = (v: Value, a: number) =>
      b.reshape(v, [points, ...sizes.map((_, i) => (i === a ? v.dims[1]! : 1))]);
    const product = (factors: readonly Value[]) => factors.map(along).reduce((p, v) => b.mul(p, v));
    const taps = axes.reduce((count, { at }) => count * at.dims[1]!, 1);
    const flat = axes
      .map(({ at }, a) => along(b.mul(at, b.builder.constant(int64Tensor([], [stridesOf(sizes)[a]!]))), a))
      .reduce((s, v) => b.add(s, v));
    const plane = elementCount(sizes);
    const image = Array.from({ length: points }, (_, p) => Math.floor(p / (points / n)) * plane);
    const rows = b.add(b.reshape(flat, [points, taps]), b.builder.constant(int64Tensor([points, 1], image)));
    const byPoint = b.reshape(b.transpose(b.reshape(g!, [n, c, points / n]), [0, 2, 1]), [points, 1, c]);
    const imageGradient = () => {
      const weights = b.reshape(product(axes.map((t) => t.weight)), [points, taps, 1]);
      const sums = b.node(
        'ScatterND',
        [b.full([n * plane, c], 0, x.dtype), b.unsqueeze(rows, [2]), b.mul(byPoint, weights)],
        { reduction: 'add' },
      );
      return b.reshape(b.transpose(b.reshape(sums, [n, plane, c]), [0, 2, 1]), x.dims);
    };
    const gridGradient = () => {
      if (axes.some((t) => t.slope === null)) return b.zerosLike(grid);
      const pixels = b.reshape(b.transpose(b.reshape(x, [n, c, plane]), [0, 2, 1]), [n * plane, c]);
      const read = b.sum(b.mul(b.gather(pixels, rows, 0), byPoint), [2]);
      const parts = sizes.map((_, a) => {
        const slopes = b.reshape(product(axes.map((t, i) => (i === a ? t.slope! : t.weight))), [
          points,
          taps,
        ]);
        return b.sum(b.mul(read, slopes), [1], true);
      });
      return b.cast(b.reshape(b.concat(parts.reverse(), 1), grid.dims), grid.dtype);
    };
    return [needs[0] ? imageGradient() : null, needs[1] ? gridGradient() : null];
  },
});

/** `grid = θ · (x, y[, z], 1)` at the points of a regular grid: `θ̄` sums `g ⊗ (x, y[, z], 1)`. */
export const affineGrid = defineRule({
  op: 'AffineGrid',
  since: 20,
  note: 'θ̄ = Σ_p g_p ⊗ (p, 1), p the points of the regular grid',
  grad: ({ b, attrs, input, outGrads: [g] }) => {
    const theta = input(0);
    const [n, rank] = [theta.dims[0]!, theta.dims[1]!];
    const sizes = g!.dims.slice(1, -1);
    const identity = Array.from({ length: rank * (rank + 1) }, (_, i) => (i % (rank + 2) === 0 ? 1 : 0));
    const unit = b.builder.constant(tensorFrom(theta.dtype, [1, rank, rank + 1], identity));
    const places = b.node('AffineGrid', [unit, b.ints([1, 1, ...sizes])], {
      align_corners: attrs.int('align_corners', 0),
    });
    const points = elementCount(sizes);
    const byAxis = b.transpose(b.reshape(g!, [n, points, rank]), [0, 2, 1]);
    return [
      b.concat([b.matmul(byAxis, b.reshape(places, [points, rank])), b.sum(byAxis, [2], true)], 2),
      null,
    ];
  },
});

import { elementCount } from '../../src/onnx/tensor.ts';
import { broadcastDims, build, fromFront, type RefFamily, type RefTensor, read } from './tensor.ts';

/** Reads `t` at `at`, without broadcasting. */
function exact(t: RefTensor, at: readonly number[]): number {
  let flat = 0;
  for (let k = 0; k < t.dims.length; k++) flat = flat * t.dims[k]! + at[k]!;
  return t.data[flat]!;
}

const withDims = (x: RefTensor, dims: readonly number[]): RefTensor => ({ ...x, dims: [...dims] });

function slice(x: RefTensor, starts: number[], ends: number[], axes: number[], steps: number[]): RefTensor {
  const from = x.dims.map(() => 0);
  const by = x.dims.map(() => 1);
  const dims = [...x.dims];
  axes.forEach((given, i) => {
    const axis = fromFront(given, x.dims.length);
    const n = x.dims[axis]!;
    const step = steps[i]!;
    const at = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + n : v, low), high);
    const start = step > 0 ? at(starts[i]!, 0, n) : at(starts[i]!, 0, n - 1);
    const end = step > 0 ? at(ends[i]!, 0, n) : at(ends[i]!, -1, n - 1);
    from[axis] = start;
    by[axis] = step;
    dims[axis] = Math.max(0, Math.ceil((end - start) / step));
  });
  return build(dims, x.dtype, (_, at) =>
    exact(
      x,
      at.map((v, k) => from[k]! + v * by[k]!),
    ),
  );
}

/** Operators that move elements. */
export const SHAPE: RefFamily = {
  Concat: ({ inputs, attrs }) => {
    const parts = inputs.map((t) => t!);
    const axis = fromFront(attrs.int('axis'), parts[0]!.dims.length);
    const dims = [...parts[0]!.dims];
    dims[axis] = parts.reduce((n, t) => n + t.dims[axis]!, 0);
    return [
      build(dims, parts[0]!.dtype, (_, at) => {
        let k = at[axis]!;
        for (const t of parts) {
          if (k < t.dims[axis]!) return exact(t, at.with(axis, k));
          k -= t.dims[axis]!;
        }
        return Number.NaN;
      }),
    ];
  },
  Expand: ({ input, ints }) => [
    build(broadcastDims([input(0).dims, ints(1)!]), input(0).dtype, (_, at) => read(input(0), at)),
  ],
  Flatten: ({ input, attrs }) => {
    const axis = fromFront(attrs.int('axis', 1), input(0).dims.length);
    const front = elementCount(input(0).dims.slice(0, axis));
    return [withDims(input(0), [front, elementCount(input(0).dims.slice(axis))])];
  },
  Gather: ({ input, attrs }) => {
    const [x, indices] = [input(0), input(1)];
    const axis = fromFront(attrs.int('axis', 0), x.dims.length);
    const rank = indices.dims.length;
    const dims = [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)];
    return [
      build(dims, x.dtype, (_, at) => {
        const k = fromFront(exact(indices, at.slice(axis, axis + rank)), x.dims[axis]!);
        return exact(x, [...at.slice(0, axis), k, ...at.slice(axis + rank)]);
      }),
    ];
  },
  Pad: ({ input, inputs, ints }) => {
    const x = input(0);
    const axes = ints(3)?.map((a) => fromFront(a, x.dims.length)) ?? x.dims.map((_, k) => k);
    const pads = ints(1)!;
    const before = x.dims.map((_, k) => (axes.includes(k) ? pads[axes.indexOf(k)]! : 0));
    const after = x.dims.map((_, k) => (axes.includes(k) ? pads[axes.length + axes.indexOf(k)]! : 0));
    const fill = inputs[2]?.data[0] ?? 0;
    return [
      build(
        x.dims.map((d, k) => d + before[k]! + after[k]!),
        x.dtype,
        (_, at) => {
          const from = at.map((v, k) => v - before[k]!);
          return from.every((v, k) => v >= 0 && v < x.dims[k]!) ? exact(x, from) : fill;
        },
      ),
    ];
  },
  Reshape: ({ input, ints, attrs }) => {
    const x = input(0);
    const dims = ints(1)!.map((d, k) => (d === 0 && attrs.int('allowzero', 0) === 0 ? x.dims[k]! : d));
    const rest = dims.indexOf(-1);
    if (rest >= 0) dims[rest] = x.data.length / elementCount(dims.filter((d) => d !== -1));
    return [withDims(x, dims)];
  },
  Slice: ({ input, ints }) => {
    const starts = ints(1)!;
    const axes = ints(3) ?? starts.map((_, k) => k);
    return [slice(input(0), starts, ints(2)!, axes, ints(4) ?? starts.map(() => 1))];
  },
  Split: ({ input, ints, attrs, node }) => {
    const x = input(0);
    const axis = fromFront(attrs.int('axis', 0), x.dims.length);
    const size = Math.ceil(x.dims[axis]! / node.outputs.length);
    const sizes = ints(1) ?? node.outputs.map((_, k) => Math.min(size, x.dims[axis]! - k * size));
    let start = 0;
    return sizes.map((n) => {
      const part = slice(x, [start], [start + n], [axis], [1]);
      start += n;
      return part;
    });
  },
  Squeeze: ({ input, ints }) => {
    const rank = input(0).dims.length;
    const axes = ints(1)?.map((a) => fromFront(a, rank));
    return [
      withDims(
        input(0),
        input(0).dims.filter((d, k) => (axes ? !axes.includes(k) : d !== 1)),
      ),
    ];
  },
  Transpose: ({ input, attrs }) => {
    const x = input(0);
    const perm = attrs.ints('perm', [...x.dims.keys()].reverse());
    return [
      build(
        perm.map((p) => x.dims[p]!),
        x.dtype,
        (_, at) => {
          const from = new Array<number>(perm.length);
          perm.forEach((p, k) => {
            from[p] = at[k]!;
          });
          return exact(x, from);
        },
      ),
    ];
  },
  Unsqueeze: ({ input, ints }) => {
    const rank = input(0).dims.length + ints(1)!.length;
    const axes = ints(1)!.map((a) => fromFront(a, rank));
    const rest = [...input(0).dims];
    return [
      withDims(
        input(0),
        Array.from({ length: rank }, (_, k) => (axes.includes(k) ? 1 : rest.shift()!)),
      ),
    ];
  },
};

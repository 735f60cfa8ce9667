import { stridesOf } from '../../src/onnx/tensor.ts';
import { build, fromFront, type RefContext, type RefFamily, type RefTensor } from './tensor.ts';

/** The flat place in `dims` that each element of the indices' space names, for `GatherElements` and `ScatterElements`. */
function elementPlaces({ input, attrs }: RefContext): { dims: readonly number[]; places: number[] } {
  const { dims } = input(0);
  const indices = input(1);
  const axis = fromFront(attrs.int('axis', 0), dims.length);
  const strides = stridesOf(dims);
  const places: number[] = [];
  build(indices.dims, 'int64', (flat, at) => {
    const along = fromFront(indices.data[flat]!, dims[axis]!);
    places.push(at.reduce((sum, v, a) => sum + (a === axis ? along : v) * strides[a]!, 0));
    return 0;
  });
  return { dims: indices.dims, places };
}

/** The same for index vectors, after `batch` shared axes. */
function vectorPlaces({ input }: RefContext, batch: number): { dims: readonly number[]; places: number[] } {
  const { dims } = input(0);
  const indices = input(1);
  const depth = indices.dims.at(-1)!;
  const strides = stridesOf(dims);
  const front = indices.dims.slice(0, -1);
  const out = [...front, ...dims.slice(batch + depth)];
  const places: number[] = [];
  const rows = stridesOf(front);
  build(out, 'int64', (_, at) => {
    const row = front.reduce((sum, _d, a) => sum + at[a]! * rows[a]!, 0);
    const vector = Array.from(indices.data.subarray(row * depth, (row + 1) * depth), (v, a) =>
      fromFront(v, dims[batch + a]!),
    );
    const place = [...at.slice(0, batch), ...vector, ...at.slice(front.length)];
    places.push(place.reduce((sum, v, a) => sum + v * strides[a]!, 0));
    return 0;
  });
  return { dims: out, places };
}

function gathered(
  { input }: RefContext,
  { dims, places }: { dims: readonly number[]; places: number[] },
): readonly RefTensor[] {
  return [build(dims, input(0).dtype, (flat) => input(0).data[places[flat]!]!)];
}

function scattered({ input, attrs }: RefContext, { places }: { places: number[] }): readonly RefTensor[] {
  const data = Float64Array.from(input(0).data);
  const reduction = attrs.string('reduction', 'none');
  const join: Record<string, (a: number, b: number) => number> = {
    none: (_, b) => b,
    add: (a, b) => a + b,
    mul: (a, b) => a * b,
    max: Math.max,
    min: Math.min,
  };
  for (const [k, place] of places.entries()) data[place] = join[reduction]!(data[place]!, input(2).data[k]!);
  return [{ ...input(0), data }];
}

/** Moves blocks between channels and space: for each output place the input's. */
function blocks({ input, attrs }: RefContext, up: boolean): readonly RefTensor[] {
  const x = input(0);
  const s = attrs.int('blocksize');
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const dims = up ? [n, c / s ** 2, h * s, w * s] : [n, c * s ** 2, h / s, w / s];
  const crd = attrs.string('mode', 'DCR') === 'CRD';
  const small = up ? dims[1]! : c;
  const read = (a: number, b: number, y: number, z: number) => x.data[((a * c + b) * h + y) * w + z]!;
  return [
    build(dims, x.dtype, (_, [a, b, y, z]) => {
      if (up) {
        const block = (y! % s) * s + (z! % s);
        return read(
          a!,
          crd ? b! * s * s + block : block * small + b!,
          Math.floor(y! / s),
          Math.floor(z! / s),
        );
      }
      const block = Math.floor(b! / small);
      return read(a!, b! % small, y! * s + Math.floor(block / s), z! * s + (block % s));
    }),
  ];
}

/** Reading and writing at indices, and moving blocks. */
export const SCATTER: RefFamily = {
  DepthToSpace: (context) => blocks(context, true),
  GatherElements: (context) => gathered(context, elementPlaces(context)),
  GatherND: (context) => gathered(context, vectorPlaces(context, context.attrs.int('batch_dims', 0))),
  ScatterElements: (context) => scattered(context, elementPlaces(context)),
  ScatterND: (context) => scattered(context, vectorPlaces(context, 0)),
  SpaceToDepth: (context) => blocks(context, false),
};

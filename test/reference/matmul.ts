import { broadcastDims, build, type RefFamily, type RefTensor, read } from './tensor.ts';

function matMul(x: RefTensor, y: RefTensor): RefTensor {
  const left = x.dims.length === 1 ? { ...x, dims: [1, ...x.dims] } : x;
  const right = y.dims.length === 1 ? { ...y, dims: [...y.dims, 1] } : y;
  const stack = broadcastDims([left.dims.slice(0, -2), right.dims.slice(0, -2)]);
  const inner = left.dims.at(-1)!;
  const full = build([...stack, left.dims.at(-2)!, right.dims.at(-1)!], x.dtype, (_, at) => {
    const [i, j] = [at.at(-2)!, at.at(-1)!];
    const front = at.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += pick(left, front, i, k) * pick(right, front, k, j);
    return sum;
  });
  const dims = [
    ...stack,
    ...(x.dims.length === 1 ? [] : [left.dims.at(-2)!]),
    ...(y.dims.length === 1 ? [] : [right.dims.at(-1)!]),
  ];
  return { ...full, dims };
}

/** An element of a stack of matrices; the stack broadcasts, the matrices do not need to. */
function pick(t: RefTensor, front: readonly number[], i: number, j: number): number {
  return read(t, [...front, i, j]);
}

/** Sums over every assignment of the letters: the definition itself. An ellipsis becomes digits. */
function einsum(equation: string, inputs: readonly RefTensor[]): RefTensor {
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  const given = left.split(',');
  const hidden = given.map((t, i) => (t.includes('...') ? inputs[i]!.dims.length - (t.length - 3) : 0));
  const most = Math.max(0, ...hidden);
  const digits = '0123456789'.slice(0, most);
  const terms = given.map((t, i) => t.replace('...', digits.slice(most - hidden[i]!)));
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((c, k) => {
      sizes.set(c, Math.max(sizes.get(c) ?? 1, inputs[i]!.dims[k]!));
    });
  });
  const plain = left.replace(/[.,]/g, '');
  const once = [...plain].filter((c) => plain.split(c).length === 2).sort();
  const output = right === undefined ? digits + once.join('') : right.replace('...', digits);
  const summed = [...sizes.keys()].filter((c) => !output.includes(c));
  const letters = [...output, ...summed];
  const out = build(
    [...output].map((c) => sizes.get(c)!),
    inputs[0]!.dtype,
    () => 0,
  );
  const place = build(out.dims, 'int64', (flat) => flat);
  build(
    letters.map((c) => sizes.get(c)!),
    'float64',
    (_, at) => {
      const index = new Map(letters.map((c, k) => [c, at[k]!]));
      const product = terms.reduce(
        (p, term, i) =>
          p *
          read(
            inputs[i]!,
            [...term].map((c) => index.get(c)!),
          ),
        1,
      );
      out.data[read(place, at.slice(0, output.length))]! += product;
      return 0;
    },
  );
  return out;
}

function transposed(t: RefTensor, swap: boolean): RefTensor {
  return swap ? build([t.dims[1]!, t.dims[0]!], t.dtype, (_, [i, j]) => read(t, [j!, i!])) : t;
}

/** Products. */
export const MATMUL: RefFamily = {
  Einsum: ({ inputs, attrs }) => [
    einsum(
      attrs.string('equation'),
      inputs.map((t) => t!),
    ),
  ],
  Gemm: ({ input, inputs, attrs }) => {
    const product = matMul(
      transposed(input(0), attrs.int('transA', 0) !== 0),
      transposed(input(1), attrs.int('transB', 0) !== 0),
    );
    const c = inputs[2];
    const [alpha, beta] = [attrs.float('alpha', 1), attrs.float('beta', 1)];
    return [
      build(product.dims, product.dtype, (i, at) => alpha * product.data[i]! + (c ? beta * read(c, at) : 0)),
    ];
  },
  MatMul: ({ input }) => [matMul(input(0), input(1))],
};

import {
  build,
  fromFront,
  type RefContext,
  type RefFamily,
  type RefOp,
  type RefTensor,
  read,
} from './tensor.ts';

/** Lists, for every place of the reduced tensor, the elements that it is made from. */
function groups(x: RefTensor, axes: readonly number[], keep: boolean): { dims: number[]; lists: number[][] } {
  const kept = x.dims.map((d, i) => (axes.includes(i) ? 1 : d));
  const index = build(kept, 'int64', (flat) => flat);
  const lists: number[][] = Array.from(index.data, () => []);
  build(x.dims, x.dtype, (flat, at) => {
    lists[read(index, at)]!.push(x.data[flat]!);
    return 0;
  });
  return { dims: keep ? kept : x.dims.filter((_, i) => !axes.includes(i)), lists };
}

function axesOf({ input, ints, attrs }: RefContext): number[] {
  const rank = input(0).dims.length;
  const given = ints(1) ?? [...attrs.ints('axes', [])];
  if (given.length > 0) return given.map((a) => fromFront(a, rank));
  return attrs.int('noop_with_empty_axes', 0) !== 0 ? [] : input(0).dims.map((_, i) => i);
}

const reduction =
  (f: (list: readonly number[]) => number): RefOp =>
  (context) => {
    const x = context.input(0);
    const { dims, lists } = groups(x, axesOf(context), context.attrs.int('keepdims', 1) !== 0);
    return [build(dims, x.dtype, (i) => f(lists[i]!))];
  };

const total = (list: readonly number[]) => list.reduce((s, v) => s + v, 0);
const logSumExp = (list: readonly number[]) => {
  const top = Math.max(...list);
  return top === Number.NEGATIVE_INFINITY ? top : top + Math.log(total(list.map((v) => Math.exp(v - top))));
};

/** A function along `axis`: `f` gets the elements of one line and gives as many. */
const along =
  (axisOf: (context: RefContext) => number, f: (line: number[], context: RefContext) => number[]): RefOp =>
  (context) => {
    const x = context.input(0);
    const axis = fromFront(axisOf(context), x.dims.length);
    const lines = new Map<string, number[]>();
    const keyOf = (at: readonly number[]) => at.map((v, k) => (k === axis ? 0 : v)).join();
    build(x.dims, x.dtype, (flat, at) => {
      const line = lines.get(keyOf(at));
      if (line) line.push(x.data[flat]!);
      else lines.set(keyOf(at), [x.data[flat]!]);
      return 0;
    });
    for (const [key, line] of lines) lines.set(key, f(line, context));
    return [build(x.dims, x.dtype, (_, at) => lines.get(keyOf(at))![at[axis]!]!)];
  };

const lastAxis = ({ attrs }: RefContext) => attrs.int('axis', -1);

/** Folds a line with `f` from `start` on, along the direction that the attributes give. */
const running = (start: number, f: (a: number, v: number) => number): RefOp =>
  along(
    ({ input }) => input(1).data[0]!,
    (line, { attrs }) => {
      const backwards = attrs.int('reverse', 0) !== 0;
      let result = start;
      const results = (backwards ? line.toReversed() : line).map((v) => {
        const before = result;
        result = f(result, v);
        return attrs.int('exclusive', 0) !== 0 ? before : result;
      });
      return backwards ? results.reverse() : results;
    },
  );

/** Reductions, softmax, running sums and products. */
export const REDUCE: RefFamily = {
  CumProd: running(1, (a, v) => a * v),
  CumSum: running(0, (a, v) => a + v),
  Hardmax: along(lastAxis, (line) => line.map((_, i) => Number(i === line.indexOf(Math.max(...line))))),
  LogSoftmax: along(lastAxis, (line) => line.map((v) => v - logSumExp(line))),
  ReduceL1: reduction((list) => total(list.map(Math.abs))),
  ReduceL2: reduction((list) => Math.sqrt(total(list.map((v) => v * v)))),
  ReduceLogSum: reduction((list) => Math.log(total(list))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceMax: reduction((list) => Math.max(...list)),
  ReduceMean: reduction((list) => total(list) / list.length),
  ReduceMin: reduction((list) => Math.min(...list)),
  ReduceProd: reduction((list) => list.reduce((p, v) => p * v, 1)),
  ReduceSum: reduction(total),
  ReduceSumSquare: reduction((list) => total(list.map((v) => v * v))),
  Softmax: along(lastAxis, (line) => line.map((v) => Math.exp(v - logSumExp(line)))),
};

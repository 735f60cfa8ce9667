import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyDims, broadcastable, solidDims, tensorOf } from '../../../test/onnx/arbitraries.ts';
import { type NodeCall, nodeOf, runNode } from '../../../test/onnx/run-node.ts';
import { float, tensorAttribute } from '../attributes.ts';
import { DTYPE_CODES, type DType, isFloat } from '../dtype.ts';
import {
  boolTensor,
  elementCount,
  float32Tensor,
  int64Tensor,
  numbersOf,
  type Tensor,
  tensorFrom,
} from '../tensor.ts';
import { foldNode } from './fold.ts';

type Call = Omit<NodeCall, 'op' | 'opset'> & { readonly opset?: number };

const fold = (call: NodeCall): readonly Tensor[] | undefined =>
  foldNode(nodeOf(call), call.inputs, call.opset, call.outputs ?? 1);

/** Floats may differ by the last bits of float32 (the runtime adds in float32, folding in float64). */
function expectSame(got: Tensor, expected: Tensor, where: string): void {
  expect(`${got.dtype}[${got.dims}]`, where).toBe(`${expected.dtype}[${expected.dims}]`);
  if (!isFloat(got.dtype)) {
    expect(
      Buffer.from(got.data).equals(Buffer.from(expected.data)),
      `${where}: ${numbersOf(got)} for ${numbersOf(expected)}`,
    ).toBe(true);
    return;
  }
  const [a, b] = [numbersOf(got), numbersOf(expected)];
  b.forEach((v, i) => {
    if (Number.isNaN(v)) expect(a[i], where).toBeNaN();
    else if (!Number.isFinite(v)) expect(a[i], where).toBe(v);
    else
      expect(Math.abs(a[i]! - v), `${where}: ${a[i]} for ${v}`).toBeLessThanOrEqual(
        2e-6 * Math.max(1, Math.abs(v)),
      );
  });
}

/** The runtime's own answer on random calls; a call that folding leaves out does not count, and too many of these fail. */
async function agrees(op: string, calls: fc.Arbitrary<Call>, runs = 25, share = 0.9): Promise<void> {
  let folded = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(calls, async (c) => {
      const call: NodeCall = { opset: 21, ...c, op };
      const got = fold(call);
      all++;
      if (!got) return;
      folded++;
      const expected = await runNode(
        call,
        got.map((t) => t.dtype),
      );
      for (const [i, t] of got.entries()) {
        expectSame(
          t,
          expected[i]!,
          `${op} output ${i} of ${JSON.stringify(call.inputs.map((x) => x?.dims))} ${JSON.stringify(call.attributes)}`,
        );
      }
    }),
    { numRuns: runs },
  );
  expect(folded / all, `${op}: share of calls that are folded`).toBeGreaterThanOrEqual(share);
}

const numeric = fc.constantFrom<DType>('float32', 'int64', 'int32');
const movable = fc.constantFrom<DType>('float32', 'int64', 'bool', 'uint8', 'float64');
const ints = (...v: number[]): Tensor => int64Tensor([v.length], v);

const binary = (dtypes: fc.Arbitrary<DType>, low?: number, high?: number): fc.Arbitrary<Call> =>
  fc
    .tuple(dtypes, broadcastable(2))
    .chain(([dtype, [a, b]]) =>
      fc.tuple(tensorOf(dtype, a!), tensorOf(dtype, b!, low, high)).map((inputs) => ({ inputs })),
    );
const unary = (dtypes: fc.Arbitrary<DType>, low?: number, high?: number): fc.Arbitrary<Call> =>
  fc
    .tuple(dtypes, anyDims)
    .chain(([dtype, dims]) => tensorOf(dtype, dims, low, high).map((x) => ({ inputs: [x] })));

describe('folding element-wise operators', () => {
  it.each(['Add', 'Sub', 'Mul', 'Max', 'Min'])('%s as the runtime does', (op) => agrees(op, binary(numeric)));
  it('Div cuts integers towards zero', () => agrees('Div', binary(numeric, 1, 5)));
  it('Div of negative divisors', () => agrees('Div', binary(numeric, -5, -1)));
  it('Mod takes the sign of the divisor', () =>
    agrees('Mod', binary(fc.constantFrom<DType>('int64', 'int32'), -5, -1)));
  it('Mod with fmod takes the sign of the dividend', () =>
    agrees(
      'Mod',
      binary(numeric, 1, 5).map((c) => ({ ...c, attributes: { fmod: 1 } })),
    ));
  it('Pow', () => agrees('Pow', binary(numeric, 0, 3)));
  it.each(['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'])('%s', (op) =>
    agrees(op, binary(numeric)),
  );
  it.each(['And', 'Or', 'Xor'])('%s', (op) => agrees(op, binary(fc.constant('bool'))));
  it.each(['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'])('%s', (op) =>
    agrees(op, binary(fc.constantFrom<DType>('int64', 'uint8'))),
  );
  it.each(['Abs', 'Neg', 'Sign'])('%s', (op) => agrees(op, unary(numeric)));
  it.each(['Ceil', 'Floor', 'Round', 'Exp', 'Sin', 'Cos', 'Tanh', 'Relu'])('%s', (op) =>
    agrees(op, unary(fc.constant('float32'))),
  );
  it.each(['Sqrt', 'Log', 'Reciprocal'])('%s of positive numbers', (op) =>
    agrees(op, unary(fc.constant('float32'), 1, 9)),
  );
  it('Not', () => agrees('Not', unary(fc.constant('bool'))));
  it('BitwiseNot', () => agrees('BitwiseNot', unary(fc.constant('int32'))));
  it('Sum, Mean, Max of three', async () => {
    const three = broadcastable(3).chain((shapes) =>
      fc.tuple(...shapes.map((d) => tensorOf('float32', d))).map((inputs) => ({ inputs })),
    );
    await agrees('Sum', three);
    await agrees('Mean', three);
    await agrees('Max', three);
  });
  it('Where, of every type', () =>
    agrees(
      'Where',
      fc
        .tuple(fc.constantFrom<DType>('float32', 'int64', 'uint8'), broadcastable(3))
        .chain(([dtype, [c, a, b]]) =>
          fc
            .tuple(tensorOf('bool', c!), tensorOf(dtype, a!), tensorOf(dtype, b!))
            .map((inputs) => ({ inputs })),
        ),
    ));
  it('Clip with and without bounds', () =>
    agrees(
      'Clip',
      fc.tuple(numeric, anyDims, fc.boolean(), fc.boolean()).chain(([dtype, dims, low, high]) =>
        tensorOf(dtype, dims).map((x) => ({
          inputs: [
            x,
            low ? tensorFrom(dtype, [], [-2]) : undefined,
            high ? tensorFrom(dtype, [], [3]) : undefined,
          ],
        })),
      ),
    ));
  it('IsInf and IsNaN', async () => {
    const x = float32Tensor([4], [Number.NaN, Infinity, -Infinity, 1]);
    for (const attributes of [{}, { detect_positive: 0 }, { detect_negative: 0 }]) {
      await agrees('IsInf', fc.constant({ inputs: [x], attributes }), 1);
    }
    await agrees('IsNaN', fc.constant({ inputs: [x] }), 1);
  });
  it('wraps integers around and leaves division by zero to the runtime', () => {
    const max = int64Tensor([1], [2 ** 63]);
    expect(fold({ op: 'Add', opset: 21, inputs: [max, ints(1)] })?.[0]?.data).toEqual(
      int64Tensor([1], [-(2 ** 63)]).data,
    );
    expect(fold({ op: 'Div', opset: 21, inputs: [ints(1), ints(0)] })).toBeUndefined();
    expect(fold({ op: 'Mod', opset: 21, inputs: [ints(1), ints(0)] })).toBeUndefined();
  });
  it('keeps int64 exact beyond 2^53', () => {
    const big = {
      dtype: 'int64',
      dims: [1],
      data: new Uint8Array(new BigInt64Array([2n ** 53n + 1n]).buffer),
    } as const;
    const sum = fold({ op: 'Add', opset: 21, inputs: [big, ints(2)] })![0]!;
    expect(new BigInt64Array(sum.data.slice().buffer)[0]).toBe(2n ** 53n + 3n);
  });
});

describe('folding casts', () => {
  const types = [
    'float32',
    'float64',
    'float16',
    'int64',
    'int32',
    'uint8',
    'int8',
    'uint16',
    'bool',
    'uint32',
    'uint64',
  ] as const;
  it.each(types)('from %s to each type', async (from) => {
    for (const to of types) {
      await agrees(
        'Cast',
        unary(fc.constant(from), from === 'uint8' ? 0 : to.startsWith('u') ? 0 : -6, 6).map((c) => ({
          ...c,
          attributes: { to: DTYPE_CODES[to] },
        })),
        4,
      );
    }
  });
  it('rounds to bfloat16, halves to even', () => {
    const x = float32Tensor([3], [1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38]);
    const [y] = fold({ op: 'Cast', opset: 21, inputs: [x], attributes: { to: DTYPE_CODES.bfloat16 } })!;
    expect(Array.from(numbersOf(y!))).toEqual([1, 1 + 2 ** -6, Infinity]);
  });
  it('CastLike takes the other input’s type', () => {
    const [y] = fold({ op: 'CastLike', opset: 21, inputs: [float32Tensor([2], [-1.5, 2.9]), ints(1)] })!;
    expect([y!.dtype, ...numbersOf(y!)]).toEqual(['int64', -1, 2]);
  });
  it('keeps the largest int64, and wraps it in a narrower type', () => {
    const max = int64Tensor([1], [2 ** 63]);
    const cast = (to: DType) =>
      fold({ op: 'Cast', opset: 21, inputs: [max], attributes: { to: DTYPE_CODES[to] } })?.[0];
    expect(cast('int64')?.data).toEqual(max.data);
    expect(Array.from(numbersOf(cast('int32')!))).toEqual([-1]);
  });
  it('leaves floats that the integer cannot hold to the runtime', () => {
    const cast = (v: number) =>
      fold({
        op: 'Cast',
        opset: 21,
        inputs: [float32Tensor([], [v])],
        attributes: { to: DTYPE_CODES.int32 },
      });
    expect(cast(Number.NaN)).toBeUndefined();
    expect(cast(2 ** 31)).toBeUndefined();
    expect(cast(-(2 ** 31))).toBeDefined();
  });
});

/** A tensor of a type that moves, with one more choice that depends on its sizes. */
function moved<T>(
  dims: fc.Arbitrary<number[]>,
  choice: (dims: number[]) => fc.Arbitrary<T>,
  make: (x: Tensor, c: T) => Call,
): fc.Arbitrary<Call> {
  return fc
    .tuple(movable, dims)
    .chain(([dtype, d]) => fc.tuple(tensorOf(dtype, d), choice(d)).map(([x, c]) => make(x, c)));
}
const axisOf = (d: number[]) => fc.integer({ min: -d.length, max: d.length - 1 });
const someAxes = (rank: number) =>
  fc.uniqueArray(fc.integer({ min: -rank, max: rank - 1 }), {
    maxLength: rank,
    selector: (a) => (a + rank) % rank,
  });

describe('folding moves', () => {
  it('Identity', () => agrees('Identity', unary(movable)));
  it('Transpose', () =>
    agrees(
      'Transpose',
      moved(
        anyDims,
        (d) =>
          fc.shuffledSubarray(
            d.map((_, i) => i),
            { minLength: d.length },
          ),
        (x, perm) => ({ inputs: [x], attributes: { perm } }),
      ),
    ));
  it('Transpose without perm', () => agrees('Transpose', unary(movable)));
  it('Reshape with -1 and 0', () =>
    agrees(
      'Reshape',
      moved(
        solidDims,
        (d) => fc.constantFrom([-1], [0, -1], [1, ...d], [elementCount(d), 1]),
        (x, to) => ({ inputs: [x, ints(...to)] }),
      ),
    ));
  it('Flatten', () =>
    agrees(
      'Flatten',
      moved(
        solidDims,
        (d) => fc.integer({ min: -d.length, max: d.length }),
        (x, axis) => ({ inputs: [x], attributes: { axis } }),
      ),
    ));
  it('Unsqueeze', () =>
    agrees(
      'Unsqueeze',
      moved(
        anyDims,
        (d) => someAxes(d.length + 1),
        (x, axes) => ({ inputs: [x, ints(...axes.slice(0, 1))] }),
      ),
    ));
  it('Squeeze', () =>
    agrees(
      'Squeeze',
      moved(
        anyDims.map((d) => [1, ...d, 1]),
        () => fc.constantFrom<number[]>([0], [-1], [0, -1]),
        (x, axes) => ({ inputs: [x, ints(...axes)] }),
      ),
    ));
  it('Expand', () =>
    agrees(
      'Expand',
      broadcastable(2).chain(([a, b]) => tensorOf('float32', a!).map((x) => ({ inputs: [x, ints(...b!)] }))),
    ));
  it('Tile', () =>
    agrees(
      'Tile',
      moved(
        solidDims,
        (d) => fc.array(fc.integer({ min: 0, max: 3 }), { minLength: d.length, maxLength: d.length }),
        (x, r) => ({ inputs: [x, ints(...r)] }),
      ),
    ));
  it('Slice with negative steps and open ends', () =>
    agrees(
      'Slice',
      moved(
        solidDims,
        (d) =>
          someAxes(d.length)
            .filter((a) => a.length > 0)
            .chain((axes) =>
              fc.tuple(
                fc.constant(axes),
                ...[0, 1, 2].map((k) =>
                  fc.array(
                    k === 2
                      ? fc.constantFrom(1, 2, -1, -2)
                      : fc.oneof(
                          fc.integer({ min: -6, max: 6 }),
                          fc.constantFrom(2 ** 63, -(2 ** 63), 2 ** 31 - 1),
                        ),
                    { minLength: axes.length, maxLength: axes.length },
                  ),
                ),
              ),
            ),
        (x, [axes, starts, ends, steps]) => ({
          inputs: [
            x,
            ints(...(starts as number[])),
            ints(...(ends as number[])),
            ints(...axes),
            ints(...(steps as number[])),
          ],
        }),
      ),
      60,
    ));
  it('Slice by attributes, opset 9', () =>
    agrees(
      'Slice',
      moved(solidDims, axisOf, (x, axis) => ({
        opset: 9,
        inputs: [x],
        attributes: { axes: [axis], starts: [-2], ends: [2 ** 31 - 1] },
      })),
    ));
  it('Concat', () =>
    agrees(
      'Concat',
      fc.tuple(movable, solidDims).chain(([dtype, d]) =>
        axisOf(d).chain((axis) => {
          const part = fc.integer({ min: 0, max: 3 }).chain((n) =>
            tensorOf(
              dtype,
              d.map((v, i) => (i === (axis + d.length) % d.length ? n : v)),
            ),
          );
          return fc.tuple(part, part, part).map((inputs) => ({ inputs, attributes: { axis } }));
        }),
      ),
    ));
  it('Split into even and uneven parts', () =>
    agrees(
      'Split',
      fc.tuple(movable, fc.integer({ min: 3, max: 8 })).chain(([dtype, n]) =>
        tensorOf(dtype, [2, n, 2]).map((x) => ({
          inputs: [x],
          attributes: { axis: 1, num_outputs: n < 5 ? 2 : 3 },
          outputs: n < 5 ? 2 : 3,
        })),
      ),
    ));
  it('Split by sizes', () =>
    agrees(
      'Split',
      fc
        .tuple(movable, fc.integer({ min: 0, max: 4 }))
        .chain(([dtype, n]) =>
          tensorOf(dtype, [4, 2]).map((x) => ({ inputs: [x, ints(n, 4 - n)], outputs: 2 })),
        ),
    ));
  it('Pad with a constant, negative pads and axes', () =>
    agrees(
      'Pad',
      fc
        .tuple(
          fc.constantFrom<DType>('float32', 'int64'),
          fc.array(fc.integer({ min: -1, max: 2 }), { minLength: 4, maxLength: 4 }),
          fc.boolean(),
        )
        .chain(([dtype, pads, value]) =>
          tensorOf(dtype, [3, 3, 2]).map((x) => ({
            inputs: [x, ints(...pads), value ? tensorFrom(dtype, [], [3]) : undefined, ints(-3, 1)],
          })),
        ),
    ));
  it('Pad by attributes, opset 10', () =>
    agrees(
      'Pad',
      tensorOf('float32', [2, 2]).map((x) => ({
        opset: 10,
        inputs: [x],
        attributes: { pads: [1, 0, 0, 2] },
      })),
      5,
    ));
  it('Gather', () =>
    agrees(
      'Gather',
      moved(
        solidDims,
        (d) => fc.tuple(axisOf(d), anyDims),
        (x, [axis, shape]) => {
          const size = x.dims.at(axis)!;
          return {
            inputs: [
              x,
              int64Tensor(
                shape,
                Array.from({ length: elementCount(shape) }, (_, i) => (i % 2 ? -1 - (i % size) : i % size)),
              ),
            ],
            attributes: { axis },
          };
        },
      ),
    ));
  it('GatherElements and ScatterElements', async () => {
    const calls = (withUpdates: boolean) =>
      moved(solidDims, axisOf, (x, axis): Call => {
        const size = x.dims.at(axis)!;
        const index = int64Tensor(
          x.dims,
          Array.from({ length: elementCount(x.dims) }, (_, i) => ((i * 7) % size) - (i % 2 ? size : 0)),
        );
        return {
          inputs: withUpdates
            ? [
                tensorFrom(
                  x.dtype,
                  x.dims,
                  numbersOf(x).map(() => 1),
                ),
                index,
                x,
              ]
            : [x, index],
          attributes: { axis },
        };
      });
    await agrees('GatherElements', calls(false));
    await agrees('ScatterElements', calls(true));
  });
  it('GatherND and ScatterND', async () => {
    await agrees(
      'GatherND',
      tensorOf('int64', [2, 3, 2]).map((x) => ({ inputs: [x, int64Tensor([2, 2], [1, 2, -1, 0])] })),
      5,
    );
    await agrees(
      'GatherND',
      tensorOf('float32', [2, 3, 2]).map((x) => ({
        inputs: [x, int64Tensor([2, 2, 1], [0, 2, -1, 1])],
        attributes: { batch_dims: 1 },
      })),
      5,
    );
    await agrees(
      'ScatterND',
      fc
        .tuple(tensorOf('int64', [4, 2]), tensorOf('int64', [3, 2]))
        .map(([x, u]) => ({ inputs: [x, int64Tensor([3, 1], [1, -1, 1]), u] })),
      5,
    );
  });
  it('Trilu', () =>
    agrees(
      'Trilu',
      fc
        .tuple(
          fc.integer({ min: -3, max: 3 }),
          fc.integer({ min: 0, max: 1 }),
          fc.constantFrom([3, 4], [2, 4, 3], [3, 0]),
        )
        .chain(([k, upper, d]) =>
          tensorOf('float32', d).map((x) => ({ inputs: [x, int64Tensor([], [k])], attributes: { upper } })),
        ),
    ));
  it('NonZero', () =>
    agrees(
      'NonZero',
      unary(fc.constantFrom<DType>('float32', 'int64', 'bool'), 0, 1).filter(
        (c) => c.inputs[0]!.dims.length > 0,
      ),
    ));
  it('Compress', () =>
    agrees(
      'Compress',
      fc
        .tuple(
          tensorOf('float32', [3, 2]),
          fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
          fc.constantFrom(0, -2, undefined),
        )
        .map(([x, keep, axis]) => ({
          inputs: [x, boolTensor([keep.length], keep)],
          attributes: { axis },
        })),
    ));
});

describe('folding reductions', () => {
  const calls = (dtypes: fc.Arbitrary<DType>, dims = solidDims): fc.Arbitrary<Call> =>
    fc.tuple(dtypes, dims, fc.boolean(), fc.boolean()).chain(([dtype, d, keep, given]) =>
      fc.tuple(tensorOf(dtype, d, -3, 3), someAxes(d.length)).map(([x, axes]) => ({
        inputs: given && axes.length > 0 ? [x, ints(...axes)] : [x],
        attributes: { keepdims: keep ? 1 : 0 },
      })),
    );
  it.each(['ReduceSum', 'ReduceProd', 'ReduceMax', 'ReduceMin'])('%s', (op) => agrees(op, calls(numeric)));
  it.each(['ReduceMean', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare'])('%s', (op) =>
    agrees(op, calls(fc.constant('float32'))),
  );
  it('ReduceSum of nothing is 0', () =>
    agrees(
      'ReduceSum',
      tensorOf('float32', [2, 0]).map((x) => ({ inputs: [x, ints(1)] })),
      1,
    ));
  it('ReduceMean by attribute, opset 17', () =>
    agrees(
      'ReduceMean',
      tensorOf('float32', [2, 3, 2]).map((x) => ({ opset: 17, inputs: [x], attributes: { axes: [-1, 0] } })),
      5,
    ));
  it.each(['ArgMax', 'ArgMin'])('%s, with ties', (op) =>
    agrees(
      op,
      fc
        .tuple(
          fc.constantFrom<DType>('float32', 'int32'),
          solidDims,
          fc.integer({ min: 0, max: 1 }),
          fc.integer({ min: 0, max: 1 }),
        )
        .chain(([dtype, d, keepdims, last]) =>
          fc
            .tuple(tensorOf(dtype, d, -2, 2), axisOf(d))
            .map(([x, axis]) => ({ inputs: [x], attributes: { axis, keepdims, select_last_index: last } })),
        ),
    ),
  );
  it('CumSum, exclusive and reversed', () =>
    agrees(
      'CumSum',
      fc
        .tuple(numeric, solidDims, fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 1 }))
        .chain(([dtype, d, exclusive, reverse]) =>
          fc.tuple(tensorOf(dtype, d), axisOf(d)).map(([x, axis]) => ({
            inputs: [x, int64Tensor([], [axis])],
            attributes: { exclusive, reverse },
          })),
        ),
    ));
  it('TopK, ties by index', () =>
    agrees(
      'TopK',
      fc
        .tuple(fc.constantFrom<DType>('float32', 'int64'), solidDims, fc.integer({ min: 0, max: 1 }))
        .chain(([dtype, d, largest]) =>
          fc.tuple(tensorOf(dtype, d, -2, 2), axisOf(d)).map(([x, axis]) => ({
            inputs: [x, ints(Math.min(2, x.dims.at(axis)!))],
            attributes: { axis, largest },
            outputs: 2,
          })),
        ),
    ));
});

describe('folding operators that make tensors', () => {
  it('Constant in all its forms', () => {
    const constant = (attributes: NodeCall['attributes']) =>
      fold({ op: 'Constant', opset: 21, inputs: [], attributes: attributes! })![0]!;
    const tensor = float32Tensor([2], [1, 2]);
    expect(constant({ value: tensorAttribute(tensor) })).toBe(tensor);
    expect(constant({ value_int: 2 ** 63 })).toEqual(int64Tensor([], [2 ** 63]));
    expect(constant({ value_ints: [1, -2] })).toEqual(ints(1, -2));
    expect(constant({ value_float: float(2) })).toEqual(float32Tensor([], [2]));
    expect(constant({ value_floats: { kind: 'floats', value: [] } })).toEqual(float32Tensor([0], []));
    expect(constant({ value_string: 'a' }).strings).toEqual(['a']);
    expect(constant({ value_strings: ['a', 'b'] }).dims).toEqual([2]);
  });
  it('ConstantOfShape', () =>
    agrees(
      'ConstantOfShape',
      fc.tuple(anyDims, fc.boolean()).map(([d, given]) => ({
        inputs: [ints(...d)],
        attributes: given ? { value: tensorAttribute(ints(7)) } : {},
      })),
    ));
  it('Range', () =>
    agrees(
      'Range',
      fc
        .tuple(
          numeric,
          fc.integer({ min: -5, max: 5 }),
          fc.integer({ min: -5, max: 5 }),
          fc.constantFrom(1, 2, -1, -3),
        )
        .map(([dtype, ...v]) => ({ inputs: v.map((n) => tensorFrom(dtype, [], [n])) })),
    ));
  it('OneHot', () =>
    agrees(
      'OneHot',
      solidDims.chain((d) =>
        fc
          .tuple(tensorOf('int64', d, -3, 3), fc.integer({ min: -d.length - 1, max: d.length }))
          .map(([x, axis]) => ({
            inputs: [x, ints(3), float32Tensor([2], [-1, 4])],
            attributes: { axis },
          })),
      ),
    ));
  it('EyeLike', () =>
    agrees(
      'EyeLike',
      fc.integer({ min: -2, max: 2 }).map((k) => ({
        inputs: [float32Tensor([2, 3], new Float32Array(6))],
        attributes: { k, dtype: DTYPE_CODES.int64 },
      })),
    ));
  it('MatMul with vectors and leading axes', () =>
    agrees(
      'MatMul',
      fc
        .tuple(
          fc.constantFrom<DType>('float32', 'int64'),
          fc.constantFrom(
            [[3], [3]],
            [[2, 3], [3]],
            [[3], [3, 2]],
            [
              [2, 1, 2, 3],
              [4, 3, 2],
            ],
            [
              [2, 0],
              [0, 3],
            ],
          ),
        )
        .chain(([dtype, [a, b]]) =>
          fc.tuple(tensorOf(dtype, a!), tensorOf(dtype, b!)).map((inputs) => ({ inputs })),
        ),
    ));
  it('Shape with start and end, Size', async () => {
    await agrees(
      'Shape',
      fc
        .tuple(anyDims, fc.integer({ min: -4, max: 4 }), fc.integer({ min: -4, max: 4 }))
        .chain(([d, start, end]) =>
          tensorOf('float32', d).map((x) => ({ inputs: [x], attributes: { start, end } })),
        ),
    );
    await agrees('Size', unary(movable));
  });
});

describe('the limits of folding', () => {
  it('leaves large results, external tensors and other domains to the runtime', () => {
    expect(fold({ op: 'ConstantOfShape', opset: 21, inputs: [ints(2 ** 20)] })).toBeUndefined();
    const outside = {
      ...ints(1),
      data: new Uint8Array(0),
      external: { location: 'x', offset: 0, length: 8 },
    };
    expect(fold({ op: 'Neg', opset: 21, inputs: [outside] })).toBeUndefined();
    expect(fold({ op: 'Neg', domain: 'com.example', opset: 1, inputs: [ints(1)] })).toBeUndefined();
    expect(fold({ op: 'Erf', opset: 21, inputs: [float32Tensor([], [1])] })).toBeUndefined();
  });
  it('refuses indices outside the axis and results beyond all memory', () => {
    expect(() => fold({ op: 'Gather', opset: 21, inputs: [ints(1, 2), ints(2)] })).toThrow(
      /expected indices within \[-2, 2\), got 2/,
    );
    expect(() => fold({ op: 'ConstantOfShape', opset: 21, inputs: [ints(2 ** 40, 2 ** 40)] })).toThrow(
      /2\^40/,
    );
    expect(() => fold({ op: 'Expand', opset: 21, inputs: [ints(1), ints(2 ** 62)] })).toThrow(/2\^40/);
  });
});

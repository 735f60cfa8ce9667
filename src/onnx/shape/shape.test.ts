import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { solidDims } from '../../../test/onnx/arbitraries.ts';
import { type NodeCall, nodeOf, runNode } from '../../../test/onnx/run-node.ts';
import { float, floats } from '../attributes.ts';
import type { DType } from '../dtype.ts';
import { elementCount, float32Tensor, int64Tensor, type Tensor, tensorFrom } from '../tensor.ts';
import { inferNode } from './infer.ts';
import type { Facts } from './rule.ts';

type Call = Omit<NodeCall, 'op' | 'opset'> & { readonly opset?: number };

const ones = (...dims: number[]): Tensor => float32Tensor(dims, new Float32Array(elementCount(dims)).fill(1));
const ints = (...v: number[]): Tensor => int64Tensor([v.length], v);
const scales = (...v: number[]): Tensor => float32Tensor([v.length], v);

function infer(call: NodeCall): readonly Facts[] {
  const facts = call.inputs.map((t) => t && { dtype: t.dtype, dims: t.dims, data: t });
  return inferNode(nodeOf(call), facts, call.opset)!;
}

/**
 * The shapes that the runtime really gives. A call that the runtime refuses must not count as agreement, so at least
 * `share` of the calls has to run; where inference refuses a call, the runtime must refuse it too.
 */
async function agrees(op: string, calls: fc.Arbitrary<Call>, runs = 30, share = 0.7): Promise<void> {
  let ran = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(calls, async (c) => {
      const call: NodeCall = { opset: 21, ...c, op };
      all++;
      let inferred: readonly Facts[] | undefined;
      let refusal: unknown;
      try {
        inferred = infer(call);
      } catch (thrown) {
        refusal = thrown;
      }
      const types = inferred?.map((f) => f.dtype) ?? new Array<DType>(call.outputs ?? 1).fill('float32');
      let expected: Tensor[];
      try {
        expected = await runNode(call, types);
      } catch {
        return;
      }
      const what = `${op}-${call.opset} of ${JSON.stringify(call.inputs.map((x) => x?.dims))} ${JSON.stringify(call.attributes)}`;
      expect(refusal, what).toBeUndefined();
      ran++;
      for (const [i, t] of expected.entries()) {
        expect(`${inferred![i]!.dtype}[${inferred![i]!.dims}]`, `${what}, output ${i}`).toBe(
          `${t.dtype}[${t.dims}]`,
        );
      }
    }),
    { numRuns: runs },
  );
  expect(ran / all, `${op}: share of calls that the runtime accepts`).toBeGreaterThanOrEqual(share);
}

const small = (min: number, max: number) => fc.integer({ min, max });
const list = (length: number, min: number, max: number) =>
  fc.array(small(min, max), { minLength: length, maxLength: length });
const flag = small(0, 1);

/** Attributes of a window over `n` axes, explicit or automatic padding. */
const window = (n: number, kernel: readonly number[], maxDilation = 2) =>
  fc
    .record({
      strides: list(n, 1, 3),
      dilations: list(n, 1, maxDilation),
      pads: list(2 * n, 0, 1),
      mode: fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
    })
    .map(({ strides, dilations, pads, mode }) => ({
      kernel_shape: kernel,
      strides,
      // Automatic padding with dilation is refused by some kernels.
      dilations: mode.startsWith('SAME') ? kernel.map(() => 1) : dilations,
      ...(mode === 'NOTSET' ? { pads } : { auto_pad: mode }),
    }));

describe('shapes of convolutions and pools', () => {
  it.each([1, 2, 3])('Conv over %i axes', (n) =>
    agrees(
      'Conv',
      fc
        .record({ sizes: list(n, 5, 9), kernel: list(n, 1, 3), group: small(1, 2) })
        .chain(({ sizes, kernel, group }) =>
          window(n, kernel).map((attributes) => ({
            inputs: [ones(2, 2 * group, ...sizes), ones(2 * group, 2, ...kernel)],
            attributes: { ...attributes, group },
          })),
        ),
    ),
  );
  it('ConvTranspose with output_padding, output_shape and groups', () =>
    agrees(
      'ConvTranspose',
      fc
        .record({
          sizes: list(2, 3, 6),
          kernel: list(2, 2, 3),
          group: small(1, 2),
          extra: fc.boolean(),
          shape: flag,
        })
        .chain(({ sizes, kernel, group, extra, shape }) =>
          window(2, kernel).map((w) => {
            const output_padding =
              extra && w.strides.every((s) => s > 1) ? w.strides.map((s) => s - 1) : undefined;
            const output_shape =
              shape && !output_padding ? sizes.map((s, i) => s * w.strides[i]!) : undefined;
            return {
              inputs: [ones(1, 2 * group, ...sizes), ones(2 * group, 3, ...kernel)],
              attributes: { ...w, group, output_padding, output_shape },
            };
          }),
        ),
    ));
  it.each(['MaxPool', 'AveragePool', 'LpPool'])('%s with ceil_mode', (op) =>
    agrees(
      op,
      fc
        .record({
          sizes: list(2, 5, 9),
          kernel: list(2, 2, 3),
          ceil: flag,
          opset: fc.constantFrom(19, 21, 22),
        })
        .chain(({ sizes, kernel, ceil, opset }) =>
          window(2, kernel).map((w) => ({
            opset,
            inputs: [ones(1, 2, ...sizes)],
            attributes: { ...w, ceil_mode: ceil },
          })),
        ),
      60,
    ),
  );
  it('MaxPool opset 8 with indices', () =>
    agrees(
      'MaxPool',
      window(2, [2, 3]).map(({ dilations: _, ...attributes }) => ({
        opset: 8,
        inputs: [ones(1, 2, 6, 7)],
        attributes,
        outputs: 2,
      })),
    ));
  it.each(['GlobalAveragePool', 'GlobalMaxPool'])('%s', (op) =>
    agrees(op, fc.constant({ inputs: [ones(2, 3, 4, 5)] }), 1),
  );
  it('ConvInteger and QLinearConv', async () => {
    const u8 = (...d: number[]) => tensorFrom('uint8', d, new Array<number>(elementCount(d)).fill(1));
    const one = ones();
    const zero = u8();
    await agrees(
      'ConvInteger',
      window(2, [3, 3]).map((attributes) => ({ inputs: [u8(1, 2, 6, 7), u8(3, 2, 3, 3)], attributes })),
      10,
    );
    await agrees(
      'QLinearConv',
      window(2, [3, 3]).map((attributes) => ({
        inputs: [u8(1, 2, 6, 7), one, zero, u8(3, 2, 3, 3), one, zero, one, zero],
        attributes,
      })),
      10,
    );
  });
  it('Col2Im', () => agrees('Col2Im', fc.constant({ inputs: [ones(1, 10, 4), ints(5, 4), ints(5, 1)] }), 1));
  it('RoiAlign and MaxRoiPool', async () => {
    await agrees(
      'RoiAlign',
      fc.constant({
        inputs: [ones(1, 3, 8, 8), ones(5, 4), int64Tensor([5], [0, 0, 0, 0, 0])],
        attributes: { output_height: 2, output_width: 3 },
      }),
      1,
    );
    await agrees(
      'MaxRoiPool',
      fc.constant({
        inputs: [ones(1, 3, 8, 8), float32Tensor([2, 5], [0, 0, 0, 3, 3, 0, 1, 1, 4, 4])],
        attributes: { pooled_shape: [2, 3] },
      }),
      1,
    );
  });
  it('MaxUnpool', () =>
    agrees(
      'MaxUnpool',
      fc.constant({
        inputs: [ones(1, 1, 2, 2), int64Tensor([1, 1, 2, 2], [0, 2, 8, 10])],
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      }),
      1,
    ));
});

describe('shapes of resampling', () => {
  const modes = fc.constantFrom('nearest', 'linear');
  it('Resize by scales', () =>
    agrees(
      'Resize',
      fc
        .record({
          sizes: list(2, 1, 9),
          factor: fc.array(fc.constantFrom(0.5, 0.3, 1, 1.5, 2, 2.7), { minLength: 2, maxLength: 2 }),
          mode: modes,
          opset: fc.constantFrom(11, 13, 18, 19),
        })
        .filter(({ sizes, factor }) => sizes.every((s, i) => s * factor[i]! >= 1))
        .map(({ sizes, factor, mode, opset }) => ({
          opset,
          inputs: [ones(1, 2, ...sizes), opset === 11 ? ones(0) : undefined, scales(1, 1, ...factor)],
          attributes: { mode },
        })),
      60,
    ));
  it('Resize by sizes, axes and aspect ratio', () =>
    agrees(
      'Resize',
      fc
        .record({
          sizes: list(2, 1, 9),
          to: list(2, 1, 9),
          policy: fc.constantFrom('stretch', 'not_larger', 'not_smaller'),
        })
        .map(({ sizes, to, policy }) => ({
          opset: 18,
          inputs: [ones(1, 2, ...sizes), undefined, undefined, ints(...to)],
          attributes: { axes: [2, 3], keep_aspect_ratio_policy: policy },
        })),
      60,
    ));
  it('Resize opset 10, Upsample 7 and 9', async () => {
    await agrees(
      'Resize',
      modes.map((mode) => ({
        opset: 10,
        inputs: [ones(1, 1, 3, 5), scales(1, 1, 1.4, 0.6)],
        attributes: { mode },
      })),
      4,
    );
    await agrees(
      'Upsample',
      modes.map((mode) => ({
        opset: 9,
        inputs: [ones(1, 1, 3, 5), scales(1, 1, 2, 3)],
        attributes: { mode },
      })),
      4,
    );
    await agrees(
      'Upsample',
      modes.map((mode) => ({
        opset: 7,
        inputs: [ones(1, 1, 3, 5)],
        attributes: { mode, scales: floats([1, 1, 2, 3]) },
      })),
      4,
    );
  });
  it('GridSample and AffineGrid', async () => {
    await agrees('GridSample', fc.constant({ inputs: [ones(2, 3, 5, 5), ones(2, 4, 6, 2)] }), 1);
    await agrees('AffineGrid', fc.constant({ inputs: [ones(2, 2, 3), ints(2, 3, 4, 5)] }), 1);
  });
});

const axesOf = (rank: number) =>
  fc.uniqueArray(small(-rank, rank - 1), {
    selector: (a) => (a + rank) % rank,
    minLength: 1,
    maxLength: rank,
  });

describe('shapes of reductions, cuts and moves', () => {
  it.each([
    ['ReduceMean', 17],
    ['ReduceMean', 18],
    ['ReduceSum', 12],
    ['ReduceSum', 13],
    ['ReduceMax', 20],
    ['ReduceLogSumExp', 18],
  ] as const)('%s-%i', (op, opset) =>
    agrees(
      op,
      fc
        .record({ dims: solidDims, keepdims: flag, given: fc.boolean(), noop: flag })
        .chain(({ dims, keepdims, given, noop }) =>
          axesOf(dims.length).map((axes) => {
            const byInput = op === 'ReduceSum' ? opset >= 13 : opset >= 18;
            return {
              opset,
              inputs: byInput && given ? [ones(...dims), ints(...axes)] : [ones(...dims)],
              attributes: { keepdims, ...(byInput ? { noop_with_empty_axes: noop } : given ? { axes } : {}) },
            };
          }),
        ),
    ),
  );
  it('Split, both forms', () =>
    agrees(
      'Split',
      fc
        .record({ n: small(2, 9), parts: small(1, 4), opset: fc.constantFrom(11, 13, 18) })
        .map(({ n, parts, opset }) => ({
          opset,
          inputs: [ones(2, n)],
          attributes: { axis: -1, ...(opset >= 18 ? { num_outputs: parts } : {}) },
          outputs: parts,
        })),
      40,
      0.3,
    ));
  it('Pad, modes and axes', () =>
    agrees(
      'Pad',
      fc
        .record({
          pads: list(4, -1, 2),
          mode: fc.constantFrom('constant', 'edge', 'reflect'),
          opset: fc.constantFrom(11, 18),
        })
        .map(({ pads, mode, opset }) => ({
          opset,
          inputs:
            opset >= 18
              ? [ones(2, 4, 4), ints(...pads), undefined, ints(1, -1)]
              : [ones(4, 4), ints(...pads)],
          attributes: { mode },
        })),
    ));
  it.each([
    'ij,jk->ik',
    'bij,bjk',
    '...ij,...jk->...ik',
    'ii->i',
    'ij->ji',
    'i,j->ij',
    'bhqd,bhkd->bhqk',
    'ij->',
    '...i->...',
    'b...i,bi',
  ])('Einsum %s', (equation) =>
    agrees(
      'Einsum',
      list(26, 1, 4).map((sizes) => {
        const terms = equation.split('->')[0]!.split(',');
        const inputs = terms.map((t) =>
          ones(
            ...t
              .split(/(\.\.\.)/)
              .flatMap((p) => (p === '...' ? [2, 3] : [...p].map((c) => sizes[c.charCodeAt(0) - 97]!))),
          ),
        );
        return { inputs, attributes: { equation } };
      }),
      5,
    ),
  );
  it('CenterCropPad', () =>
    agrees(
      'CenterCropPad',
      list(2, 1, 8).map((to) => ({ inputs: [ones(3, 4, 5), ints(...to)], attributes: { axes: [0, -1] } })),
      10,
    ));
  it('DepthToSpace and SpaceToDepth', async () => {
    await agrees(
      'DepthToSpace',
      fc.constant({ inputs: [ones(1, 8, 2, 3)], attributes: { blocksize: 2 } }),
      1,
    );
    await agrees(
      'SpaceToDepth',
      fc.constant({ inputs: [ones(1, 2, 4, 6)], attributes: { blocksize: 2 } }),
      1,
    );
  });
  it('Reshape with allowzero', () =>
    agrees('Reshape', fc.constant({ inputs: [ones(0, 3), ints(3, 0)], attributes: { allowzero: 1 } }), 1));
});

describe('shapes of layers', () => {
  it.each([
    ['RNN', 1],
    ['GRU', 3],
    ['LSTM', 4],
  ] as const)('%s in both directions', (op, gates) =>
    agrees(
      op,
      fc.constantFrom('forward', 'reverse', 'bidirectional').map((direction) => {
        const d = direction === 'bidirectional' ? 2 : 1;
        return {
          inputs: [ones(5, 2, 3), ones(d, gates * 4, 3), ones(d, gates * 4, 4)],
          attributes: { hidden_size: 4, direction },
          outputs: op === 'LSTM' ? 3 : 2,
        };
      }),
      6,
    ),
  );
  it('Gemm', () =>
    agrees(
      'Gemm',
      fc.tuple(flag, flag, fc.constantFrom([], [1], [5], [2, 1], [2, 5])).map(([transA, transB, c]) => ({
        inputs: [transA ? ones(3, 2) : ones(2, 3), transB ? ones(5, 3) : ones(3, 5), ones(...c)],
        attributes: { transA, transB },
      })),
    ));
  it('BatchNormalization and LayerNormalization', async () => {
    await agrees(
      'BatchNormalization',
      fc.constant({ inputs: [ones(2, 3, 4), ones(3), ones(3), ones(3), ones(3)] }),
      1,
    );
    await agrees(
      'LayerNormalization',
      small(-3, 2).map((axis) => ({
        inputs: [ones(2, 3, 4), ones(...[2, 3, 4].slice(axis))],
        attributes: { axis },
        outputs: 3,
      })),
      10,
    );
  });
  it('Attention-23 of rank 3 and 4', async () => {
    await agrees(
      'Attention',
      fc.constant({
        opset: 23,
        inputs: [ones(2, 5, 8), ones(2, 7, 8), ones(2, 7, 12)],
        attributes: { q_num_heads: 4, kv_num_heads: 4 },
      }),
      1,
    );
    await agrees(
      'Attention',
      fc.constant({
        opset: 23,
        inputs: [
          ones(2, 4, 5, 2),
          ones(2, 2, 7, 2),
          ones(2, 2, 7, 3),
          undefined,
          ones(2, 2, 3, 2),
          ones(2, 2, 3, 3),
        ],
        outputs: 3,
      }),
      1,
    );
  });
  it('TopK, Unique’s rank, OneHot and Range', async () => {
    await agrees(
      'TopK',
      small(1, 3).map((k) => ({ inputs: [ones(2, 3), ints(k)], outputs: 2 })),
      3,
    );
    await agrees(
      'OneHot',
      small(-2, 1).map((axis) => ({
        inputs: [int64Tensor([2], [0, 1]), ints(5), ones(2)],
        attributes: { axis },
      })),
      4,
    );
    await agrees(
      'Range',
      fc
        .tuple(small(-5, 5), small(-5, 5), fc.constantFrom(0.25, 0.75, -0.5))
        .map((v) => ({ inputs: v.map((n) => float32Tensor([], [n])) })),
    );
  });
  it('DFT and STFT', async () => {
    await agrees(
      'DFT',
      flag.map((onesided) => ({
        opset: 20,
        inputs: [ones(1, 10, 1), undefined, int64Tensor([], [1])],
        attributes: { onesided },
      })),
      4,
    );
    await agrees(
      'STFT',
      flag.map((onesided) => ({
        opset: 17,
        inputs: [ones(1, 32, 1), int64Tensor([], [8]), ones(16)],
        attributes: { onesided },
      })),
      4,
    );
  });
  it('QuantizeLinear and DequantizeLinear', async () => {
    const zero = tensorFrom('int8', [], [0]);
    await agrees('QuantizeLinear', fc.constant({ inputs: [ones(2, 3), ones(), zero] }), 1);
    await agrees(
      'DequantizeLinear',
      fc.constant({ inputs: [tensorFrom('int8', [2], [1, 2]), ones(), zero] }),
      1,
    );
    await agrees('DynamicQuantizeLinear', fc.constant({ inputs: [ones(2, 3)], outputs: 3 }), 1);
  });
  it('contrib operators', async () => {
    const ms = { domain: 'com.microsoft', opset: 1 };
    await agrees(
      'FusedMatMul',
      fc.tuple(flag, flag).map(([transA, transB]) => ({
        ...ms,
        inputs: [transA ? ones(2, 4, 3) : ones(2, 3, 4), transB ? ones(2, 5, 4) : ones(2, 4, 5)],
        attributes: { transA, transB },
      })),
      6,
    );
    await agrees(
      'FusedConv',
      window(2, [3, 3], 1).map((w) => ({
        ...ms,
        inputs: [ones(1, 2, 7, 7), ones(4, 2, 3, 3)],
        attributes: { ...w, activation: 'Relu' },
      })),
      10,
    );
    for (const op of ['Gelu', 'QuickGelu', 'FastGelu'])
      await agrees(op, fc.constant({ ...ms, inputs: [ones(2, 3)] }), 1);
    await agrees('BiasGelu', fc.constant({ ...ms, inputs: [ones(2, 3), ones(3)] }), 1);
    await agrees(
      'SkipLayerNormalization',
      fc.constant({ ...ms, inputs: [ones(2, 3, 4), ones(2, 3, 4), ones(4), ones(4)] }),
      1,
    );
    await agrees(
      'MultiHeadAttention',
      fc.constant({
        ...ms,
        inputs: [ones(2, 3, 8), ones(2, 5, 8), ones(2, 5, 8)],
        attributes: { num_heads: 2 },
      }),
      1,
    );
    await agrees(
      'Attention',
      fc.constant({ ...ms, inputs: [ones(2, 3, 8), ones(8, 24), ones(24)], attributes: { num_heads: 2 } }),
      1,
    );
    await agrees(
      'FusedGemm',
      fc.constant({ ...ms, inputs: [ones(2, 3), ones(3, 4), ones(4)], attributes: { activation: 'Relu' } }),
      1,
    );
  });
});

describe('shapes with unknown sizes', () => {
  const rule = (
    op: string,
    inputs: readonly (Facts | undefined)[],
    attributes: NodeCall['attributes'] = {},
    opset = 21,
  ) =>
    inferNode(
      { ...nodeOf({ op, opset, inputs: [], attributes }), inputs: inputs.map(String) },
      inputs,
      opset,
    )![0]!.dims;
  const f = (...dims: Facts['dims'] & object): Facts => ({ dtype: 'float32', dims });
  const data = (t: Tensor): Facts => ({ dtype: t.dtype, dims: t.dims, data: t });

  it('keeps symbols where sizes are equal', () => {
    expect(rule('Add', [f('N', 3), f(1, 3)])).toEqual(['N', 3]);
    expect(rule('Add', [f('N', 3), f('M', 3)])).toEqual([null, 3]);
    expect(rule('MatMul', [f('N', 'T', 8), f(8, 4)])).toEqual(['N', 'T', 4]);
    expect(rule('Conv', [f('N', 3, 'H', 8), f(4, 3, 3, 3)], { pads: [1, 1, 1, 1] })).toEqual([
      'N',
      4,
      'H',
      8,
    ]);
    expect(rule('Reshape', [f('N', 16, 4), data(ints(0, -1))])).toEqual(['N', 64]);
    expect(rule('Reshape', [f('N', 16, 4), data(ints(-1, 64))])).toEqual(['N', 64]);
    expect(rule('Flatten', [f('N', 16, 4)])).toEqual(['N', 64]);
    expect(rule('Concat', [f('N', 1), f('N', 2)], { axis: 1 })).toEqual(['N', 3]);
    expect(rule('Slice', [f('N', 9), data(ints(0)), data(ints(2 ** 63)), data(ints(0))])).toEqual(['N', 9]);
  });
  it('gives unknown sizes for what depends on data', () => {
    const shape: Facts = { dtype: 'int64', dims: [3] };
    expect(rule('Reshape', [f(2, 3), shape])).toEqual([null, null, null]);
    expect(rule('Expand', [f(2, 3), { dtype: 'int64', dims: undefined }])).toBeUndefined();
    expect(rule('NonZero', [f(2, 3)])).toEqual([2, null]);
    expect(rule('Relu', [{ dtype: 'float32', dims: undefined }])).toBeUndefined();
  });
});

describe('contradictions', () => {
  const cases: readonly (readonly [string, NodeCall, RegExp])[] = [
    [
      'shapes that do not broadcast',
      { op: 'Add', opset: 21, inputs: [ones(2, 3), ones(4)] },
      /expected shapes that broadcast, got \[2, 3\] and \[4\]/,
    ],
    [
      'two element types',
      { op: 'Add', opset: 21, inputs: [ones(2), ints(1, 2)] },
      /one type, got float32 and int64/,
    ],
    [
      'inner sizes',
      { op: 'MatMul', opset: 21, inputs: [ones(2, 3), ones(4, 5)] },
      /inner sizes .* got 3 and 4/,
    ],
    ['channels', { op: 'Conv', opset: 21, inputs: [ones(1, 4, 5, 5), ones(2, 3, 3, 3)] }, /channels/],
    [
      'a window larger than its axis',
      { op: 'MaxPool', opset: 21, inputs: [ones(1, 1, 2, 2)], attributes: { kernel_shape: [3, 3] } },
      /hold a window of 3/,
    ],
    [
      'a zero stride',
      {
        op: 'MaxPool',
        opset: 21,
        inputs: [ones(1, 1, 2, 2)],
        attributes: { kernel_shape: [1, 1], strides: [0, 1] },
      },
      /strides of at least 1/,
    ],
    [
      'a group of 0',
      { op: 'Conv', opset: 21, inputs: [ones(1, 1, 5, 5), ones(2, 1, 3, 3)], attributes: { group: 0 } },
      /group of at least 1/,
    ],
    [
      'an axis out of range',
      { op: 'Concat', opset: 21, inputs: [ones(2)], attributes: { axis: 1 } },
      /axis within \[-1, 1\), got 1/,
    ],
    ['another number of elements', { op: 'Reshape', opset: 21, inputs: [ones(2, 3), ints(4)] }, /6 elements/],
    ['two -1', { op: 'Reshape', opset: 21, inputs: [ones(2, 3), ints(-1, -1)] }, /at most one -1/],
    [
      'a huge product',
      { op: 'Tile', opset: 21, inputs: [ones(2, 3), ints(2 ** 40, 2 ** 40)] },
      /2\^40 elements/,
    ],
    ['a negative size', { op: 'ConstantOfShape', opset: 21, inputs: [ints(-4)] }, /0 or more/],
    [
      'a slice that stands still',
      { op: 'Slice', opset: 21, inputs: [ones(2), ints(0), ints(1), ints(0), ints(0)] },
      /steps other than 0/,
    ],
    ['a missing input', { op: 'Gather', opset: 21, inputs: [ones(2)] }, /expected an input 1, got none/],
    [
      'an infinite scale',
      { op: 'Resize', opset: 21, inputs: [ones(1, 1, 2, 2), undefined, scales(1, 1, Infinity, 1)] },
      /expected/,
    ],
    [
      'negative padding beyond the axis',
      { op: 'Pad', opset: 21, inputs: [ones(2), ints(-3, 0)] },
      /0 or more, got \[-1\]/,
    ],
    [
      'a huge kernel',
      { op: 'LpPool', opset: 21, inputs: [ones(1, 1, 2)], attributes: { kernel_shape: [2 ** 62] } },
      /below 2\^31/,
    ],
    [
      'a float where an int belongs',
      { op: 'Flatten', opset: 21, inputs: [ones(2, 3)], attributes: { axis: float(1) } },
      /of kind int, got float/,
    ],
  ];
  it.each(cases)('refuses %s', (_, call, message) => {
    expect(() => infer(call)).toThrow(
      expect.objectContaining({ code: 'model/invalid', message: expect.stringMatching(message) }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import type { DType } from '../dtype.ts';
import { foldNode } from '../fold/fold.ts';
import type { Attribute, Dim, Node } from '../model.ts';
import { elementCount, type Tensor, tensorFrom } from '../tensor.ts';
import { inferNode } from './infer.ts';
import { SHAPE_RULES } from './registry.ts';
import type { Facts } from './rule.ts';

const dtype = fc.constantFrom<DType>('float32', 'int64', 'bool', 'uint8', 'int32', 'float16');
const hostileNumber = fc.oneof(
  fc.integer({ min: -3, max: 4 }),
  fc.constantFrom(2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63), 100000, -1),
);
const dim: fc.Arbitrary<Dim> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
  fc.constantFrom('N', null, 2 ** 40),
);
const constant: fc.Arbitrary<Tensor> = fc
  .tuple(dtype, fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }))
  .chain(([type, dims]) =>
    fc
      .array(
        hostileNumber.map((v) => (type.startsWith('u') || type === 'bool' ? Math.abs(v) % 256 : v)),
        { minLength: elementCount(dims), maxLength: elementCount(dims) },
      )
      .map((values) => tensorFrom(type, dims, values)),
  );
const facts: fc.Arbitrary<Facts | undefined> = fc.oneof(
  { weight: 4, arbitrary: constant.map((data) => ({ dtype: data.dtype, dims: data.dims, data })) },
  {
    weight: 4,
    arbitrary: fc.record({ dtype, dims: fc.option(fc.array(dim, { maxLength: 5 }), { nil: undefined }) }),
  },
  fc.constant(undefined),
);

const INTS = [
  'axes',
  'perm',
  'pads',
  'strides',
  'dilations',
  'kernel_shape',
  'split',
  'starts',
  'ends',
  'output_padding',
  'output_shape',
  'pooled_shape',
  'shape',
  'ngram_indexes',
  'qkv_hidden_sizes',
];
const NUMBERS = [
  'axis',
  'keepdims',
  'group',
  'to',
  'start',
  'end',
  'blocksize',
  'num_outputs',
  'batch_dims',
  'hidden_size',
  'num_heads',
  'q_num_heads',
  'kv_num_heads',
  'k',
  'N',
  'sample_size',
  'ceil_mode',
  'onesided',
  'layout',
  'dtype',
  'transA',
  'allowzero',
  'exclusive',
  'upper',
  'output_height',
  'transBatchA',
];
const STRINGS = [
  'auto_pad',
  'mode',
  'direction',
  'equation',
  'reduction',
  'keep_aspect_ratio_policy',
  'pixel_format',
];
const WORDS = [
  'SAME_UPPER',
  'VALID',
  'constant',
  'bidirectional',
  'ij,jk->ik',
  '...',
  '->',
  'none',
  'not_larger',
  '',
  'i..j',
];

const someOf = (names: readonly string[], value: fc.Arbitrary<Attribute>) =>
  fc
    .subarray([...names])
    .chain((chosen) =>
      fc.tuple(...chosen.map(() => value)).map((values) => chosen.map((n, i) => [n, values[i]!] as const)),
    );
const attributes: fc.Arbitrary<Map<string, Attribute>> = fc
  .tuple(
    someOf(
      INTS,
      fc.array(hostileNumber, { maxLength: 4 }).map((value) => ({ kind: 'ints', value })),
    ),
    someOf(
      NUMBERS,
      hostileNumber.map((value) => ({ kind: 'int', value })),
    ),
    someOf(
      STRINGS,
      fc.constantFrom(...WORDS).map((value) => ({ kind: 'string', value })),
    ),
  )
  .map((groups) => new Map(groups.flat()));

const rules = [...SHAPE_RULES.keys()].map((key) => key.split(':') as [string, string]);
const node = (
  domain: string,
  op: string,
  inputs: number,
  outputs: number,
  given: Map<string, Attribute>,
): Node => ({
  op,
  domain,
  name: 'n',
  inputs: Array.from({ length: inputs }, (_, i) => `x${i}`),
  outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
  attributes: given,
});

describe('hostile nodes', () => {
  it.each([7, 10, 13, 21, 26])('opset %i: every rule gives valid sizes or a GlacisError', (opset) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        fc.array(facts, { maxLength: 6 }),
        attributes,
        fc.integer({ min: 1, max: 4 }),
        ([domain, op], inputs, given, outputs) => {
          let result: readonly Facts[];
          try {
            result = inferNode(node(domain, op, inputs.length, outputs, given), inputs, opset)!;
          } catch (thrown) {
            if (!(thrown instanceof GlacisError))
              throw new Error(`${op}: ${String(thrown)}`, { cause: thrown });
            return;
          }
          for (const { dims } of result) {
            for (const d of dims ?? [])
              expect(
                d === null || typeof d === 'string' || (Number.isSafeInteger(d) && d >= 0),
                `${op} ${String(d)}`,
              ).toBe(true);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('are folded to tensors of the stated size, left alone, or refused with a GlacisError', () => {
    let folded = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...rules.filter(([domain]) => domain === '')),
        fc.array(constant, { minLength: 1, maxLength: 4 }),
        attributes,
        ([domain, op], inputs, given) => {
          let result: readonly Tensor[] | undefined;
          try {
            result = foldNode(node(domain, op, inputs.length, 1, given), inputs, 21, 1);
          } catch (thrown) {
            if (!(thrown instanceof GlacisError))
              throw new Error(`${op}: ${String(thrown)}`, { cause: thrown });
            return;
          }
          folded += result ? 1 : 0;
          for (const t of result ?? []) expect(elementCount(t.dims), op).toBeLessThanOrEqual(1 << 16);
        },
      ),
      { numRuns: 6000 },
    );
    expect(folded).toBeGreaterThan(300);
  });
});

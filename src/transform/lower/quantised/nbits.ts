import { GlacisError } from '../../../core/error.ts';
import { isFloat } from '../../../onnx/dtype.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { float32Tensor, numbersOf } from '../../../onnx/tensor.ts';
import { defineLowering, type LowerContext } from '../rule.ts';

/** Steps of `bits` each, low bits first. */
function unpacked(bytes: ArrayLike<number>, at: number, bits: number): number {
  const bit = at * bits;
  return (bytes[bit >> 3]! >> (bit & 7)) & (2 ** bits - 1);
}

/** Numbers of a constant input. Errors: `model/unsupported-operator` where it is computed. */
function constant({ node, input }: LowerContext, i: number): ArrayLike<number> {
  const { data } = input(i);
  if (data) return numbersOf(data);
  throw new GlacisError(
    'model/unsupported-operator',
    `${node.name} (MatMulNBits): expected its weights in the file, got computed ones`,
  );
}

/** The weights `[K, N]` as floats: `(step − zero) · scale`, one scale and zero point for each block of each column. */
function weights(context: LowerContext): Value {
  const { b, node, attrs, inputs, has } = context;
  const [K, N, size, bits] = [
    attrs.int('K'),
    attrs.int('N'),
    attrs.int('block_size'),
    attrs.int('bits', 4),
  ] as const;
  if (has(4))
    throw new GlacisError(
      'model/unsupported-operator',
      `${node.name} (MatMulNBits): reordered groups (g_idx) are not supported`,
    );
  const steps = constant(context, 1);
  const scales = constant(context, 2);
  const blocks = Math.ceil(K / size);
  const zeros = has(3) ? constant(context, 3) : undefined;
  // Packed zero points fill whole bytes for each column.
  const zeroRow = (Math.ceil((blocks * bits) / 8) * 8) / bits;
  const expected = {
    bits: [2, 4, 8].includes(bits),
    steps: steps.length === (N * blocks * size * bits) / 8,
    scales: scales.length === N * blocks,
    zeros: !zeros || zeros.length === (isFloat(inputs[3]!.dtype) ? N * blocks : (N * zeroRow * bits) / 8),
  };
  const wrong = Object.entries(expected).find(([, fits]) => !fits)?.[0];
  if (wrong !== undefined)
    throw new GlacisError(
      'model/invalid',
      `${node.name} (MatMulNBits): expected ${wrong} for [${K}, ${N}] in blocks of ${size}, got another size`,
    );
  const zeroOf = (n: number, block: number): number => {
    if (!zeros) return 2 ** (bits - 1);
    return isFloat(inputs[3]!.dtype)
      ? zeros[n * blocks + block]!
      : unpacked(zeros, n * zeroRow + block, bits);
  };
  const out = new Float32Array(K * N);
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < K; k++) {
      const block = Math.floor(k / size);
      const step = unpacked(steps, n * blocks * size + k, bits);
      out[k * N + n] = (step - zeroOf(n, block)) * scales[n * blocks + block]!;
    }
  }
  return b.builder.constant(float32Tensor([K, N], out));
}

/**
 * `MatMulNBits` of ONNX Runtime: a product with weights of 2, 4 or 8 bits, which become floats when the graph is written.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
 */
export const matmulNBits = defineLowering({
  op: 'MatMulNBits',
  domain: 'com.microsoft',
  note: 'MatMul with the weights as floats',
  lower: (context) => {
    const { b, inputs, input } = context;
    const w = b.cast(weights(context), input(0).dtype);
    const product = b.matmul(input(0), w);
    return [inputs[5] ? b.add(product, inputs[5]) : product];
  },
});

import { GlacisError } from '../../../core/error.ts';
import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';

const DOMAIN = 'com.microsoft';

/** An activation function fused behind a product, with its parameters in the order of the fused operator. */
function activated({ b, node }: LowerContext, x: Value, name: string, parameters: readonly number[]): Value {
  const [alpha, beta] = parameters;
  const attributes = {
    ...(alpha === undefined ? {} : { alpha: float(alpha) }),
    ...(beta === undefined ? {} : { beta: float(beta) }),
  };
  switch (name) {
    case '':
      return x;
    case 'Relu':
    case 'Sigmoid':
    case 'Tanh':
    case 'Softplus':
    case 'Softsign':
    case 'HardSwish':
      return b.unary(name, x);
    case 'Elu':
    case 'LeakyRelu':
    case 'ThresholdedRelu':
    case 'HardSigmoid':
      return b.node(name, [x], attributes);
    case 'Clip':
      return b.node('Clip', [
        x,
        alpha === undefined ? null : b.scalar(alpha, x.dtype),
        beta === undefined ? null : b.scalar(beta, x.dtype),
      ]);
    default:
      throw new GlacisError(
        'model/unsupported-operator',
        `${node.name} (${node.op}): the activation '${name}' is not supported`,
      );
  }
}

/** Numbers of `names` that the node has, up to the first it has not. */
function parameters({ attrs }: LowerContext, names: readonly string[]): number[] {
  const found: number[] = [];
  for (const name of names) {
    if (!attrs.has(name)) break;
    found.push(attrs.float(name));
  }
  return found;
}

/** `α A′ B′`: `transBatch` moves the first axis behind the batch axes, then `trans` swaps the last two. */
function matmul(context: LowerContext): Value {
  const { b, attrs, input } = context;
  const turned = (i: number, side: 'A' | 'B') => {
    let x = input(i);
    const rank = x.dims.length;
    const axes = x.dims.map((_, k) => k);
    if (rank < 2) return x;
    if (attrs.int(`transBatch${side}`, 0) !== 0) x = b.transpose(x, [...axes.slice(1, -1), 0, rank - 1]);
    if (attrs.int(`trans${side}`, 0) !== 0) x = b.transpose(x, [...axes.slice(0, -2), rank - 1, rank - 2]);
    return x;
  };
  return b.mul(b.matmul(turned(0, 'A'), turned(1, 'B')), attrs.float('alpha', 1));
}

/** The attributes of the standard operator inside the fused one. */
const without = ({ node }: LowerContext, drop: (name: string) => boolean) =>
  new Map([...node.attributes].filter(([name]) => !drop(name)));

/** Products with what ONNX Runtime's optimiser fuses to them. */
export const fusedProducts: readonly LowerRule[] = [
  ...['FusedMatMul', 'TransposeMatMul'].map((op) =>
    defineLowering({
      op,
      domain: DOMAIN,
      note: 'Transpose, MatMul and scale',
      lower: (context) => [matmul(context)],
    }),
  ),
  defineLowering({
    op: 'FusedMatMulActivation',
    domain: DOMAIN,
    note: 'Transpose, MatMul, scale and activation',
    lower: (context) => [
      activated(
        context,
        matmul(context),
        context.attrs.string('activation', ''),
        parameters(context, ['activation_alpha', 'activation_beta']),
      ),
    ],
  }),
  defineLowering({
    op: 'FusedGemm',
    domain: DOMAIN,
    note: 'Gemm and activation',
    lower: (context) => {
      const { b, attrs, inputs, node } = context;
      const y = b.builder.addNode(
        'Gemm',
        inputs,
        without(context, (name) => name.startsWith('activation')),
        { name: node.name },
      )[0]!;
      const given = parameters(context, ['activation_alpha', 'activation_beta']);
      return [activated(context, y, attrs.string('activation', ''), given)];
    },
  }),
  defineLowering({
    op: 'FusedConv',
    domain: DOMAIN,
    note: 'Conv, sum and activation',
    lower: (context) => {
      const { b, attrs, inputs, input, node } = context;
      const conv = b.builder.addNode(
        'Conv',
        inputs[2] ? [input(0), input(1), inputs[2]] : [input(0), input(1)],
        without(context, (name) => name.startsWith('activation')),
        { name: node.name },
      )[0]!;
      const y = inputs[3] ? b.add(conv, inputs[3]) : conv;
      return [activated(context, y, attrs.string('activation', ''), attrs.floats('activation_params', []))];
    },
  }),
];

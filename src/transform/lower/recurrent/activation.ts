import { GlacisError } from '../../../core/error.ts';
import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import type { LowerContext } from '../rule.ts';

/** An activation function of a recurrent layer, its parameters bound. */
export type Activation = (x: Value) => Value;

interface Kind {
  /** How many of alpha, beta the function has. */
  readonly parameters: 0 | 1 | 2;
  readonly alpha?: number;
  readonly beta?: number;
  write(b: Ops, x: Value, alpha: number, beta: number): Value;
}

const plain = (op: string): Kind => ({ parameters: 0, write: (b, x) => b.unary(op, x) });

/** By lower-case name: the runtime ignores case. Defaults are those of the standalone operators. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['relu', plain('Relu')],
  ['tanh', plain('Tanh')],
  ['sigmoid', plain('Sigmoid')],
  ['softsign', plain('Softsign')],
  ['softplus', plain('Softplus')],
  [
    'leakyrelu',
    {
      parameters: 1,
      alpha: 0.01,
      write: (b, x, alpha) => b.node('LeakyRelu', [x], { alpha: float(alpha) }),
    },
  ],
  [
    'thresholdedrelu',
    {
      parameters: 1,
      alpha: 1,
      write: (b, x, alpha) => b.node('ThresholdedRelu', [x], { alpha: float(alpha) }),
    },
  ],
  ['elu', { parameters: 1, alpha: 1, write: (b, x, alpha) => b.node('Elu', [x], { alpha: float(alpha) }) }],
  [
    'hardsigmoid',
    {
      parameters: 2,
      alpha: 0.2,
      beta: 0.5,
      write: (b, x, alpha, beta) => b.node('HardSigmoid', [x], { alpha: float(alpha), beta: float(beta) }),
    },
  ],
  [
    'scaledtanh',
    {
      parameters: 2,
      alpha: 1,
      beta: 1,
      write: (b, x, alpha, beta) => b.mul(b.unary('Tanh', b.mul(x, beta)), alpha),
    },
  ],
  [
    'affine',
    { parameters: 2, alpha: 1, beta: 0, write: (b, x, alpha, beta) => b.add(b.mul(x, alpha), beta) },
  ],
]);

/**
 * The activation functions of a recurrent node, `names.length` a direction, each after the node's `clip`
 * except LSTM's `h`: ONNX Runtime does not clip the cell state.
 * `activation_alpha` and `activation_beta` are consumed in the order of those functions that have such a parameter, as
 * ONNX Runtime does. Errors: `model/invalid` for an unknown name or a wrong count.
 */
export function activationsOf(
  { b, attrs, node }: LowerContext,
  directions: number,
  defaults: readonly string[],
): readonly (readonly Activation[])[] {
  const wanted = directions * defaults.length;
  const names = attrs.has('activations')
    ? attrs.strings('activations')
    : Array.from({ length: wanted }, (_, i) => defaults[i % defaults.length]!);
  if (names.length !== wanted)
    throw new GlacisError(
      'model/invalid',
      `${node.name} (${node.op}): expected ${wanted} activations, got ${names.length}`,
    );
  const alphas = [...attrs.floats('activation_alpha', [])];
  const betas = [...attrs.floats('activation_beta', [])];
  const limit = attrs.float('clip', 0);
  const all = names.map((name, i): Activation => {
    const kind = KINDS.get(name.toLowerCase());
    if (!kind)
      throw new GlacisError(
        'model/invalid',
        `${node.name} (${node.op}): expected an activation of ONNX, got '${name}'`,
      );
    const alpha = (kind.parameters > 0 ? alphas.shift() : undefined) ?? kind.alpha ?? 0;
    const beta = (kind.parameters > 1 ? betas.shift() : undefined) ?? kind.beta ?? 0;
    const clips = limit > 0 && i % defaults.length < 2;
    return (x) => {
      const clipped = clips ? b.node('Clip', [x, b.scalar(-limit, x.dtype), b.scalar(limit, x.dtype)]) : x;
      return kind.write(b, clipped, alpha, beta);
    };
  });
  return Array.from({ length: directions }, (_, d) =>
    all.slice(d * defaults.length, (d + 1) * defaults.length),
  );
}

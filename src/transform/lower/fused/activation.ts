import { elementCount } from '../../../onnx/tensor.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';

const DOMAIN = 'com.microsoft';

const biased = ({ b, input, inputs }: LowerContext) => (inputs[1] ? b.add(input(0), inputs[1]) : input(0));

const rule = (op: string, note: string, lower: LowerRule['lower']) =>
  defineLowering({ op, domain: DOMAIN, note, lower });

/** Activation functions of com.microsoft, most with a bias. */
export const fusedActivations: readonly LowerRule[] = [
  rule('Gelu', '→ Gelu of ai.onnx', (c) => [c.b.node('Gelu', [c.input(0)])]),
  rule('BiasGelu', 'Add and Gelu', (c) => [c.b.node('Gelu', [biased(c)])]),
  rule('FastGelu', 'Add and Gelu by tanh', (c) => [c.b.node('Gelu', [biased(c)], { approximate: 'tanh' })]),
  rule('QuickGelu', 'x · Sigmoid(alpha · x)', ({ b, attrs, input }) => {
    const x = input(0);
    return [b.mul(x, b.unary('Sigmoid', b.mul(x, attrs.float('alpha', 1.702))))];
  }),
  rule('BiasAdd', 'Add twice', ({ b, input }) => [b.add(b.add(input(0), input(1)), input(2))]),
  rule('BiasSoftmax', 'Add and Softmax over all axes from axis on', ({ b, attrs, input }) => {
    const x = input(0);
    const rank = x.dims.length;
    const given = attrs.int('axis', 1);
    const axis = given < 0 ? given + rank : given;
    const bias = input(1);
    // Inner broadcast: the bias repeats over the axes right before `axis`; otherwise over the first ones, as NumPy does.
    const inner = attrs.int('is_inner_broadcast', 0) === 1 && bias.dims.length < rank;
    const columns = rank - axis;
    const lead = bias.dims.slice(0, Math.max(0, bias.dims.length - columns));
    const wide = inner
      ? b.reshape(bias, [
          ...lead,
          ...new Array<number>(rank - bias.dims.length).fill(1),
          ...bias.dims.slice(lead.length),
        ])
      : bias;
    const matrix = b.reshape(b.add(x, wide), [
      elementCount(x.dims.slice(0, axis)),
      elementCount(x.dims.slice(axis)),
    ]);
    return [b.reshape(b.node('Softmax', [matrix], { axis: -1 }), x.dims)];
  }),
];

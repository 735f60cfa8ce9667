import { float } from '../../../onnx/attributes.ts';
import type { Value } from '../../../onnx/graph-builder.ts';
import type { Ops } from '../../ops.ts';
import { defineLowering, type LowerContext, type LowerRule } from '../rule.ts';

const DOMAIN = 'com.microsoft';

/** `x / √(mean(x²) + ε) · scale` over the axes from `axis` on, and the inverse root. */
function rootMeanSquare(
  b: Ops,
  x: Value,
  scale: Value,
  axis: number,
  epsilon: number,
): readonly [Value, Value] {
  const first = axis < 0 ? axis + x.dims.length : axis;
  const axes = x.dims.flatMap((_, i) => (i >= first ? [i] : []));
  const inverse = b.div(1, b.unary('Sqrt', b.add(b.mean(b.mul(x, x), axes, true), epsilon)));
  return [b.mul(b.mul(x, inverse), scale), inverse];
}

/** `input + skip + bias`; `skip` may lack the batch axis or have it as 1. */
function summed({ b, input, inputs }: LowerContext, biasAt: number): Value {
  const x = b.add(input(0), input(1));
  return inputs[biasAt] ? b.add(x, inputs[biasAt]) : x;
}

const simplified = ['', DOMAIN].map((domain) =>
  defineLowering({
    op: 'SimplifiedLayerNormalization',
    domain,
    note: 'x / √(mean(x²) + ε) · scale',
    lower: ({ b, attrs, input, outputs }) =>
      rootMeanSquare(b, input(0), input(1), attrs.int('axis', -1), attrs.float('epsilon', 1e-5)).slice(
        0,
        outputs,
      ),
  }),
);

const layerNorm = ({ b, attrs }: LowerContext, x: Value, gamma: Value, beta: Value | null, outputs: number) =>
  b.nodes(
    'LayerNormalization',
    beta ? [x, gamma, beta] : [x, gamma],
    { axis: -1, epsilon: float(attrs.float('epsilon', 1e-12)) },
    { outputs },
  );

/** Layer normalisations with what ONNX Runtime's optimiser fuses to them. */
export const fusedNormalizations: readonly LowerRule[] = [
  ...simplified,
  defineLowering({
    op: 'SkipLayerNormalization',
    domain: DOMAIN,
    note: 'Add and LayerNormalization',
    lower: (context) => {
      const x = summed(context, 4);
      const { inputs, input, outputs } = context;
      const statistics = context.node.outputs.slice(1, 3).some((name) => name !== '');
      const [y, mean, inverse] = layerNorm(context, x, input(2), inputs[3] ?? null, statistics ? 3 : 1);
      return [y!, mean ?? null, inverse ?? null, x].slice(0, outputs);
    },
  }),
  defineLowering({
    op: 'SkipSimplifiedLayerNormalization',
    domain: DOMAIN,
    note: 'Add and x / √(mean(x²) + ε) · scale',
    lower: (context) => {
      const { b, attrs, input, outputs } = context;
      const x = summed(context, 3);
      const [y, inverse] = rootMeanSquare(b, x, input(2), -1, attrs.float('epsilon', 1e-5));
      return [y, null, inverse, x].slice(0, outputs);
    },
  }),
  defineLowering({
    op: 'EmbedLayerNormalization',
    domain: DOMAIN,
    note: 'Gather, Add and LayerNormalization',
    lower: (context) => {
      const { b, input, inputs, outputs } = context;
      const ids = input(0);
      const [batch, length] = ids.dims as readonly [number, number];
      const words = b.gather(input(2), ids, 0);
      const positions = inputs[8]
        ? b.gather(input(3), inputs[8], 0)
        : b.unsqueeze(b.slice(input(3), 0, 0, length), [0]);
      const both = b.add(words, positions);
      const x = inputs[1] && inputs[4] ? b.add(both, b.gather(inputs[4], inputs[1], 0)) : both;
      const [y] = layerNorm(context, x, input(5), input(6), 1);
      const counts =
        outputs < 2
          ? null
          : inputs[7]
            ? b.cast(b.sum(b.cast(inputs[7], 'int64'), [1]), 'int32')
            : b.full([batch], 0, 'int32');
      return [y!, counts, x].slice(0, outputs);
    },
  }),
];

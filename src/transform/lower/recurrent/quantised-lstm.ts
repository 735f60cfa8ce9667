import type { Value } from '../../../onnx/graph-builder.ts';
import { dynamicSteps } from '../quantised/dynamic.ts';
import { dequantised } from '../quantised/steps.ts';
import { defineLowering, type LowerContext } from '../rule.ts';
import { LSTM } from './lstm.ts';
import { type CellKind, unrollRecurrent } from './unroll.ts';

/** An LSTM whose products see inputs and state in 8 bits, each matrix over its own range. */
const ROUNDED: CellKind = {
  ...LSTM,
  cell: (context, weights) => {
    const { b } = context;
    const cell = LSTM.cell(context, weights);
    const in8Bits = (x: Value) => {
      const { steps, scale, zero } = dynamicSteps(b, x);
      return dequantised(b, steps, scale, zero);
    };
    return {
      project: (x) => cell.project(in8Bits(x)),
      step: (projected, [hidden, state]) => cell.step(projected, [in8Bits(hidden!), state!]),
    };
  },
};

/** `[directions, in, 4 · hidden]` integers, scaled by direction or by gate, as `LSTM` has its weights. */
function weights({ b, input, inputs }: LowerContext, at: number, scaleAt: number): Value {
  const w = input(at);
  const [directions, , rows] = w.dims as [number, number, number];
  const spread = (v: Value) =>
    b.reshape(v, v.dims.at(-1) === rows && v.dims.length === 2 ? [directions, 1, rows] : [directions, 1, 1]);
  const zero = inputs[scaleAt + 1];
  return b.transpose(dequantised(b, w, spread(input(scaleAt)), zero ? spread(zero) : null), [0, 2, 1]);
}

/**
 * `DynamicQuantizeLSTM` of ONNX Runtime, which its dynamic quantisation writes: 8-bit weights, transposed; inputs and state are
 * quantised as they come. The runtime may quantise the state of a part of the batch by itself, so answers agree to about
 * one step of 8 bits.
 * Source: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.DynamicQuantizeLSTM
 */
export const quantisedLstm = defineLowering({
  op: 'DynamicQuantizeLSTM',
  domain: 'com.microsoft',
  note: 'LSTM of float steps, unrolled over time',
  lower: (context) => {
    const plain = [...context.inputs.slice(0, 8)];
    plain[1] = weights(context, 1, 8);
    plain[2] = weights(context, 2, 10);
    return unrollRecurrent(
      { ...context, inputs: plain, input: (i) => plain[i] ?? context.input(i) },
      ROUNDED,
    );
  },
});

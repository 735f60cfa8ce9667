import { defineLowering } from '../rule.ts';
import { type CellKind, unrollRecurrent } from './unroll.ts';

/** `h' = f(W x + R h + b)`. */
const RNN: CellKind = {
  gates: 1,
  states: 1,
  activations: ['Tanh'],
  cell: ({ b }, { W, R, inputBias, recurrentBias, activations: [f] }) => {
    const bias = inputBias && recurrentBias && b.add(inputBias, recurrentBias);
    return {
      project: (x) => [bias ? b.node('Gemm', [x, W, bias]) : b.matmul(x, W)],
      step: ([x], [state]) => [f!(b.node('Gemm', [state!, R, x!], { transB: 1 }))],
    };
  },
};

/** `RNN`, unrolled over time. */
export const rnn = defineLowering({
  op: 'RNN',
  note: 'unrolled over time; the inputs of all steps are one product',
  lower: (context) => unrollRecurrent(context, RNN),
});

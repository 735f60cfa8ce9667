import { defineLowering } from '../rule.ts';
import { type CellKind, unrollRecurrent } from './unroll.ts';

/**
 * `z, r = σ(W x + R h + b)`, `n = g(W x + R (r ⊙ h) + b)`, or with `linear_before_reset` `n = g(W x + b + r ⊙ (R h + b_R))`;
 * `h' = (1 − z) ⊙ n + z ⊙ h`.
 */
const GRU: CellKind = {
  gates: 3,
  states: 1,
  activations: ['Sigmoid', 'Tanh'],
  cell: ({ b, attrs }, { W, R, inputBias, recurrentBias, hidden, activations }) => {
    const [f, g] = activations as [(typeof activations)[0], (typeof activations)[0]];
    const resetLast = attrs.int('linear_before_reset', 0) !== 0;
    const [gatesW, newW] = b.split(W, 1, [2 * hidden, hidden]);
    const [gatesR, newR] = b.split(R, 0, [2 * hidden, hidden]);
    const [gatesInput, newInput] = inputBias ? b.split(inputBias, 0, [2 * hidden, hidden]) : [];
    const [gatesRecurrent, newRecurrent] = recurrentBias
      ? b.split(recurrentBias, 0, [2 * hidden, hidden])
      : [];
    const gatesBias = gatesInput && b.add(gatesInput, gatesRecurrent!);
    const newBias = newInput && (resetLast ? newInput : b.add(newInput, newRecurrent!));
    return {
      project: (x) => [
        gatesBias ? b.node('Gemm', [x, gatesW!, gatesBias]) : b.matmul(x, gatesW!),
        newBias ? b.node('Gemm', [x, newW!, newBias]) : b.matmul(x, newW!),
      ],
      step: ([xGates, xNew], [state]) => {
        const gates = f(b.node('Gemm', [state!, gatesR!, xGates!], { transB: 1 }));
        const [z, r] = b.split(gates, 1, [hidden, hidden]);
        const n = resetLast
          ? g(b.add(xNew!, b.mul(r!, b.node('Gemm', [state!, newR!, newRecurrent ?? null], { transB: 1 }))))
          : g(b.node('Gemm', [b.mul(r!, state!), newR!, xNew!], { transB: 1 }));
        return [b.add(n, b.mul(z!, b.sub(state!, n)))];
      },
    };
  },
};

/** `GRU`, unrolled over time. */
export const gru = defineLowering({
  op: 'GRU',
  note: 'unrolled over time; the inputs of all steps are one product',
  lower: (context) => unrollRecurrent(context, GRU),
});

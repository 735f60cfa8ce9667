import { defineLowering } from '../rule.ts';
import { type CellKind, unrollRecurrent } from './unroll.ts';

/**
 * `i, o, f = σ(W x + R h + P ⊙ c + b)`, `c' = f ⊙ c + i ⊙ g(W x + R h + b)`, `h' = o ⊙ h(c')`; the output gate's
 * peephole sees `c'`. With `input_forget`, `f = 1 − i`.
 */
export const LSTM: CellKind = {
  gates: 4,
  states: 2,
  activations: ['Sigmoid', 'Tanh', 'Tanh'],
  cell: ({ b, attrs }, { W, R, inputBias, recurrentBias, peepholes, hidden, activations }) => {
    const [f, g, h] = activations as [
      (typeof activations)[0],
      (typeof activations)[0],
      (typeof activations)[0],
    ];
    const coupled = attrs.int('input_forget', 0) !== 0;
    const bias = inputBias && recurrentBias && b.add(inputBias, recurrentBias);
    const P = peepholes && b.split(peepholes, 0, [hidden, hidden, hidden]);
    return {
      project: (x) => [bias ? b.node('Gemm', [x, W, bias]) : b.matmul(x, W)],
      step: ([x], [state, cell]) => {
        const all = b.node('Gemm', [state!, R, x!], { transB: 1 });
        if (!P) {
          const [gates, candidate] = b.split(all, 1, [3 * hidden, hidden]);
          const [i, o, forget] = b.split(f(gates!), 1, [hidden, hidden, hidden]);
          const keep = coupled ? b.sub(1, i!) : forget!;
          const next = b.add(b.mul(keep, cell!), b.mul(i!, g(candidate!)));
          return [b.mul(o!, h(next)), next];
        }
        const [xi, xo, xf, candidate] = b.split(all, 1, [hidden, hidden, hidden, hidden]);
        const i = f(b.add(xi!, b.mul(P[0]!, cell!)));
        const keep = coupled ? b.sub(1, i) : f(b.add(xf!, b.mul(P[2]!, cell!)));
        const next = b.add(b.mul(keep, cell!), b.mul(i, g(candidate!)));
        const o = f(b.add(xo!, b.mul(P[1]!, next)));
        return [b.mul(o, h(next)), next];
      },
    };
  },
};

/** `LSTM`, unrolled over time. */
export const lstm = defineLowering({
  op: 'LSTM',
  note: 'unrolled over time; the inputs of all steps are one product',
  lower: (context) => unrollRecurrent(context, LSTM),
});

import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import { vjp } from '../../transform/gradient/vjp.ts';
import type { Ops } from '../../transform/ops.ts';
import type { Objective, Scene } from './objective.ts';

/**
 * Adversarial weight perturbation (Wu et al. 2020) around another objective: every weight array of more than one dimension moves
 * towards higher loss by `gamma` times its own length, and the gradient is taken there. It flattens the loss over the weights and
 * narrows the gap between robust accuracy in training and on new samples. The paper takes gamma 0.005 to 0.01.
 *
 * The inner attack runs at the unmoved weights. One more forward and backward pass a step.
 */
export function withWeightPerturbation(inner: Objective, gamma = 0.005): Objective {
  if (!(gamma > 0 && gamma < 1))
    throw new GlacisError('option/invalid', `gamma: expected a number between 0 and 1, got ${gamma}`);
  return {
    ...inner,
    name: `${inner.name}+awp`,
    options: { ...inner.options, gamma },
    isAdditive: false,
    write(scene) {
      const first = inner.write(scene);
      const { b, weights } = scene;
      const gradients = vjp(b, first.seeds, weights, { constants: first.constants ?? [] });
      const moved = weights.map((w, i) => (w.dims.length < 2 ? w : uphill(b, w, gradients[i]!, gamma)));
      // The inner attack is written as nodes that are there already: only the last passes are new.
      const there: Scene = {
        ...scene,
        forward: (x, how = {}) => scene.forward(x, how.as === 'deployed' ? how : { weights: moved, ...how }),
      };
      const second = inner.write(there);
      return { ...second, constants: [...(second.constants ?? []), ...moved], wrt: moved };
    },
  };
}

function uphill(b: Ops, weight: Value, gradient: Value, gamma: number): Value {
  const length = (v: Value) =>
    b.unary(
      'Sqrt',
      b.sum(
        b.mul(v, v),
        v.dims.map((_, axis) => axis),
      ),
    );
  const share = b.div(b.mul(length(weight), gamma), b.max(length(gradient), 1e-12));
  return b.add(weight, b.mul(gradient, share));
}

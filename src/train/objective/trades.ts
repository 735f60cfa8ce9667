import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';
import { innerAttack, type TrainingConstraint } from './inner-attack.ts';
import type { Objective } from './objective.ts';
import { softmax } from './softmax.ts';
import { checkedThreat, type TrainingThreat } from './threat.ts';

/**
 * TRADES (Zhang et al. 2019): the loss of the samples as they are plus `beta` times the divergence `KL(f(x) ‖ f(x'))`, where `x'` is the
 * point of the ball at which PGD finds that divergence largest. A larger `beta` trades accuracy for robustness; the paper takes
 * 1 to 6. For classifiers with exclusive classes.
 *
 * Under a constraint the attack starts at a random point of the ball: next to the sample, steps and relations would project it back onto the sample.
 */
export function trades(threat: TrainingThreat, beta = 6, under?: TrainingConstraint): Objective {
  if (!(beta >= 0 && Number.isFinite(beta)))
    throw new GlacisError('option/invalid', `beta: expected a number of at least 0, got ${beta}`);
  const { samples, ...attack } = innerAttack(checkedThreat(threat), 'divergence', under);
  return {
    name: 'trades',
    isAdditive: true,
    ...attack,
    options: { ...attack.options, beta },
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      const attacked = samples(scene);
      const [outputs, moved] = [forward(x), forward(attacked)];
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      const apart = divergence(b, outputs, moved);
      const robust = criterion.write(b, moved, targets).hits;
      return {
        losses: b.add(losses, b.mul(apart.values, beta)),
        seeds: [
          { value: outputs, grad: b.add(gradient, b.mul(apart.first, beta)) },
          { value: moved, grad: b.mul(apart.second, beta) },
        ],
        constants: [attacked],
        ...(hits ? { hits } : {}),
        ...(robust ? { robustHits: robust } : {}),
      };
    },
  };
}

/**
 * `KL(p ‖ q) = Σ p (log p − log q)` of the softmaxes of two rows of logits, `[B]`, and its gradients with respect to both:
 * `p (log p − log q − KL)` and `q − p`.
 */
export function divergence(b: Ops, first: Value, second: Value) {
  const logs = (z: Value) => b.node('LogSoftmax', [z], { axis: -1 });
  const p = softmax(b, first);
  const gap = b.sub(logs(first), logs(second));
  const values = b.sum(b.mul(p, gap), [1]);
  return {
    values,
    first: b.mul(p, b.sub(gap, b.unsqueeze(values, [1]))),
    second: b.sub(softmax(b, second), p),
  };
}

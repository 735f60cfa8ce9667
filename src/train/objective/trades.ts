import { GlacisError } from '../../core/error.ts';
import type { Value } from '../../onnx/graph-builder.ts';
import type { Ops } from '../../transform/ops.ts';
import { ascendInside, intoBall } from './inner-ascent.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, placeThreat, type TrainingThreat, threatRecord, threatSettings } from './threat.ts';

/** Size of the noise at which TRADES' inner attack starts, in input units at bounds of width 1: at the sample itself the divergence has no slope. */
const START = 1e-3;

/**
 * TRADES (Zhang et al. 2019): the loss of the samples as they are plus `beta` times the divergence `KL(f(x) ‖ f(x'))`, where `x'` is the
 * point of the ball at which PGD finds that divergence largest. A larger `beta` trades accuracy for robustness; the paper takes
 * 1 to 6. For classifiers with exclusive classes.
 */
export function trades(threat: TrainingThreat, beta = 6): Objective {
  if (!(beta >= 0 && Number.isFinite(beta)))
    throw new GlacisError('option/invalid', `beta: expected a number of at least 0, got ${beta}`);
  const checked = checkedThreat(threat);
  return {
    name: 'trades',
    options: { ...threatRecord(checked), beta },
    isAdditive: true,
    settings: (done) => threatSettings(checked, done),
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      const { ball, stepSize } = placeThreat(scene, checked);
      const calm = softmax(b, forward(x, { as: 'deployed' }));
      const width = checked.bounds[1] - checked.bounds[0];
      const start = intoBall(b, b.add(x, b.mul(scene.draw('start', 'normal'), START * width)), x, ball);
      const slope = (point: Value) => {
        const outputs = forward(point, { as: 'deployed' });
        return { outputs, gradient: b.sub(softmax(b, outputs), calm) };
      };
      const attacked = ascendInside(b, x, start, slope, ball, checked.steps, stepSize);
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

const softmax = (b: Ops, z: Value) => b.node('Softmax', [z], { axis: -1 });

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

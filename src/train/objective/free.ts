import { intoBall, steepest } from './inner-ascent.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, type TrainingThreat, threatRecord, threatSettings } from './threat.ts';

/**
 * "Free" adversarial training (Shafahi et al. 2019): one backward pass gives the gradients of the weights and of the samples; the
 * perturbation moves by it and is kept for the next step, so that a batch replayed `m` times (`replays` of the trainer) sees an
 * attack of `m` steps at the price of `m` plain ones. A step has the length eps.
 */
export function free(threat: Omit<TrainingThreat, 'steps'>): Objective {
  const checked = checkedThreat({ stepShare: 1, ...threat, steps: 1 });
  return {
    name: 'free',
    options: threatRecord(checked),
    isAdditive: false,
    settings: (done) => threatSettings(checked, done),
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      const ball = { norm: checked.norm, eps: scene.setting('eps'), bounds: checked.bounds };
      const perturbation = scene.kept('perturbation', x.dims);
      const attacked = intoBall(b, b.add(x, perturbation), x, ball);
      const outputs = forward(attacked);
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      return {
        losses,
        seeds: [{ value: outputs, grad: gradient }],
        beside: [attacked],
        keeps: ([slope]) => {
          const way = b.mul(steepest(b, slope!, checked.norm), scene.setting('stepSize'));
          return { perturbation: b.sub(intoBall(b, b.add(attacked, way), x, ball), x) };
        },
        ...(hits ? { robustHits: hits } : {}),
      };
    },
  };
}

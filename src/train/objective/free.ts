import { intoBall, steepest, whereFree } from './inner-ascent.ts';
import { attackOutside, type TrainingConstraint } from './inner-attack.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, type TrainingThreat, threatRecord, threatSettings } from './threat.ts';

/** Name of what {@link free} keeps from step to step, of the shape of a batch. */
export const PERTURBATION = 'perturbation';

/**
 * "Free" adversarial training (Shafahi et al. 2019): one backward pass gives the gradients of the weights and of the samples; the
 * perturbation moves by it and is kept for the next step, so that a batch replayed `m` times (`replays` of the trainer) sees an
 * attack of `m` steps at the price of `m` plain ones. A step has the length eps. Under a constraint the perturbation stays free, and the network sees a projected copy.
 */
export function free(threat: Omit<TrainingThreat, 'steps'>, under?: TrainingConstraint): Objective {
  const checked = checkedThreat({ stepShare: 1, ...threat, steps: 1 });
  return {
    name: 'free',
    options: threatRecord(checked),
    ...(under ? attackOutside(checked, 'kept', under) : {}),
    isAdditive: false,
    settings: (done) => threatSettings(checked, done),
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      const ball = { norm: checked.norm, eps: scene.setting('eps'), bounds: checked.bounds };
      const perturbation = scene.kept(PERTURBATION, x.dims);
      const moved = intoBall(b, b.add(x, perturbation), x, ball);
      const attacked = under ? scene.attacked() : moved;
      const outputs = forward(attacked);
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      return {
        losses,
        seeds: [{ value: outputs, grad: gradient }],
        beside: [attacked],
        keeps: ([slope]) => {
          const open = whereFree(b, slope!, under?.constraint);
          const way = b.mul(steepest(b, open, checked.norm), scene.setting('stepSize'));
          return { [PERTURBATION]: b.sub(intoBall(b, b.add(moved, way), x, ball), x) };
        },
        ...(hits ? { robustHits: hits } : {}),
      };
    },
  };
}

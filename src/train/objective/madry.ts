import { innerAttack, type TrainingConstraint } from './inner-attack.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, type TrainingThreat } from './threat.ts';

/**
 * Adversarial training (Madry et al. 2018): learns from the samples as PGD from a random start leaves them. With one step it is the
 * "fast" form, FGSM from a random start with a step of 1.25 eps (Wong et al. 2020; give `stepShare: 1.25`), which can overfit
 * catastrophically. The attack sees the network as it is deployed.
 */
export function madry(threat: TrainingThreat, under?: TrainingConstraint): Objective {
  const checked = checkedThreat(threat);
  const { samples, ...attack } = innerAttack(checked, 'loss', under);
  return {
    name: checked.steps === 1 ? 'fast' : 'pgd',
    isAdditive: true,
    ...attack,
    write(scene) {
      const { b, targets, criterion, forward } = scene;
      const attacked = samples(scene);
      const outputs = forward(attacked);
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      return {
        losses,
        seeds: [{ value: outputs, grad: gradient }],
        constants: [attacked],
        ...(hits ? { robustHits: hits } : {}),
      };
    },
  };
}

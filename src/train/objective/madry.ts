import { ascendInside, lossSlope } from './inner-ascent.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, placeThreat, type TrainingThreat, threatRecord, threatSettings } from './threat.ts';

/**
 * Adversarial training (Madry et al. 2018): learns from the samples as PGD from a random start leaves them. With one step it is the
 * "fast" form, FGSM from a random start with a step of 1.25 eps (Wong et al. 2020; give `stepShare: 1.25`), which can overfit
 * catastrophically. The attack sees the network as it is deployed.
 */
export function madry(threat: TrainingThreat): Objective {
  const checked = checkedThreat(threat);
  return {
    name: checked.steps === 1 ? 'fast' : 'pgd',
    options: threatRecord(checked),
    isAdditive: true,
    settings: (done) => threatSettings(checked, done),
    write(scene) {
      const { b, x, targets, criterion, forward } = scene;
      const { ball, stepSize, start } = placeThreat(scene, checked);
      const attacked = ascendInside(b, x, start(), lossSlope(scene), ball, checked.steps, stepSize);
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

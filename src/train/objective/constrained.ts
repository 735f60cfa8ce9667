import type { Constraint } from '../../threat/constraint.ts';
import type { Objective } from './objective.ts';
import { checkedThreat, type TrainingThreat, threatRecord, threatSettings } from './threat.ts';

/** What examples must satisfy in training, and how a record and a checkpoint know it. */
export interface TrainingConstraint {
  readonly constraint: Constraint;
  /** Digest of the file that says it. */
  readonly digest: string;
}

/**
 * Adversarial training (Madry et al. 2018) under a constraint: each sample is learned from as PGD leaves it whose iterates the network sees as
 * projected copies that satisfy the constraint, as `glacis attack` does it; so training attacks with what an attacker can really send.
 *
 * A projection onto steps, groups and relations is no graph: the trainer runs the attack between steps, with the weights of that very step
 * (`step/constrained-attack.ts`), and hands attacked samples in. Cost: as `madry`, and a run of the runtime for each inner step.
 */
export function constrainedMadry(
  threat: TrainingThreat,
  { constraint, digest }: TrainingConstraint,
): Objective {
  const checked = checkedThreat(threat);
  return {
    name: checked.steps === 1 ? 'fast' : 'pgd',
    options: { ...threatRecord(checked), constraint: constraint.id, constraintDigest: digest },
    isAdditive: true,
    outside: { threat: checked, constraint, settings: (done) => threatSettings(checked, done) },
    write({ b, x, targets, criterion, forward }) {
      const outputs = forward(x);
      const { losses, gradient, hits } = criterion.write(b, outputs, targets);
      return { losses, seeds: [{ value: outputs, grad: gradient }], ...(hits ? { robustHits: hits } : {}) };
    },
  };
}

import type { Answer, Loss, Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';

/** Asks for the loss that a run of Auto-PGD raises, and its gradient. With `probe`, the point is no candidate. */
export type ApgdLoss = (x: Float32Array, probe?: boolean) => Talk<Answer>;

/** Losses by name: the goal's own, or the difference of logits ratio. */
export function apgdLoss(victim: Victim, loss: 'goal' | 'dlr', average: number): ApgdLoss {
  return asked(victim, loss === 'dlr' && !hasRatio(victim, 3) ? 'margin' : loss, { average });
}

/**
 * The difference of logits ratio against one class. With fewer than four classes it does not exist, and the plain difference of the
 * two logits takes its place; where there is no class to name, minus the goal's margin.
 */
export function apgdTargetedLoss(victim: Victim, target: number | undefined, average: number): ApgdLoss {
  if (target === undefined) return asked(victim, 'margin', { average });
  if (hasRatio(victim, 4)) return asked(victim, 'targeted-dlr', { target, average });
  const cotangent = new Float32Array(victim.classes);
  cotangent[target] = 1;
  cotangent[victim.goal.aim(victim.sample)!] = -1;
  return asked(victim, 'linear', { cotangent, average });
}

/** Whether a ratio of logits that needs `classes` of them makes sense: it leads away from a label. */
function hasRatio({ goal, classes }: Victim, needed: number): boolean {
  return goal.task === 'classification' && !goal.targeted && classes >= needed;
}

function asked(
  victim: Victim,
  loss: Loss,
  more: { readonly target?: number; readonly cotangent?: Float32Array; readonly average: number },
): ApgdLoss {
  const plain = { loss, ...more };
  const probing = { ...plain, probe: true };
  return (x, probe) => victim.gradient(x, probe ? probing : plain);
}

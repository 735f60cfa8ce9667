/** Decides when a run of Auto-PGD or one of its relatives halves its step; fed with the loss of every step. */
export interface StepHalving {
  /** Enters the loss after a step and the best so far; `true` when the step is to be halved and the run to go back to its best point. */
  isDue(loss: number, best: number): boolean;
}

/**
 * The checkpoints of Auto-PGD (Croce & Hein 2020): after 0.22, then ever fewer of the `steps` (22, 19, 16, 13, 10, 7, 6, 6, … of 100). At
 * each, the step is halved if the loss rose in no more than `rho` of the steps since the last one, or if the step was not halved there
 * and the best loss has not risen since. `start` is the loss that the run begins with.
 *
 * As in the authors' code, the first checkpoint compares the first step's loss with 0 and not with the start's.
 */
export function stepHalving(steps: number, rho: number, start: number): StepHalving {
  let gap = Math.max(Math.floor(0.22 * steps), 1);
  let sinceCheck = 0;
  let rises = 0;
  let before = 0;
  let bestAtLastCheck = start;
  let halvedAtLastCheck = true;
  return {
    isDue(loss, best) {
      if (loss > before) rises++;
      before = loss;
      sinceCheck++;
      if (sinceCheck < gap) return false;
      const isHalved: boolean = rises <= rho * gap || (!halvedAtLastCheck && bestAtLastCheck >= best);
      halvedAtLastCheck = isHalved;
      bestAtLastCheck = best;
      const shorter = gap - Math.max(Math.floor(0.03 * steps), 1);
      gap = Math.max(shorter, Math.floor(0.06 * steps), 1);
      sinceCheck = 0;
      rises = 0;
      return isHalved;
    },
  };
}

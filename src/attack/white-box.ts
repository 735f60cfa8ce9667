import { GlacisError } from '../core/error.ts';
import type { WhiteBoxTarget } from '../runtime/target.ts';
import type { AttackRun } from './attack.ts';

/** The whole model of a run. Errors: `option/invalid` where only its answers are visible. */
export function whiteBoxOf({ target }: Pick<AttackRun<unknown>, 'target'>): WhiteBoxTarget {
  if (!target)
    throw new GlacisError(
      'option/invalid',
      'attack: expected a model file for gradients, got an endpoint; choose attacks that need scores or labels only',
    );
  return target;
}

import type { Incidents } from '../../incident/open-incidents.ts';
import type { OrderWish } from '../../incident/order.ts';
import type { Backends } from '../backend/open-backends.ts';
import { rollbackOf } from '../contain/rollbacks.ts';
import { type AskedAct, askInCase, askToLift } from './ask-in-case.ts';

/** What going back stands on. */
export interface RollBackParts {
  readonly backends: Pick<Backends, 'status' | 'rollback'>;
  readonly incidents: Pick<Incidents, 'open' | 'act' | 'lift' | 'needsApproval' | 'config' | 'overseen'>;
}

/**
 * Puts the version before into service; undefined once that is done. Where the policy wants two persons it is asked for in a case in its place, as every other measure is: that of the
 * rollback which this would take back, or one that is opened for it. Errors: `option/invalid` where there is no version before, `registry/refused`, those of the case.
 */
export async function rollBack(
  model: string,
  { by, because }: { readonly by: string; readonly because?: string | undefined },
  { backends, incidents }: RollBackParts,
): Promise<AskedAct | undefined> {
  const wish: OrderWish = {
    measure: 'rollback',
    target: { model },
    because: because ?? 'asked for beside any case',
  };
  const inForce = incidents.overseen
    .active()
    .find(({ measure, target }) => measure === 'rollback' && target.model === model);
  const { lift } = incidents.config().fourEyes;
  // The version before a version that was gone back to is the one that was left: the end of that measure.
  const ends = inForce !== undefined && lift.includes('rollback');
  if (!ends && !incidents.needsApproval(wish)) {
    await backends.rollback(model, by);
    return undefined;
  }
  rollbackOf(model, { models: () => backends.status() });
  const answer = ends
    ? await askToLift({ ...inForce, because: wish.because }, by, incidents)
    : await askInCase(wish, by, incidents);
  return 'asked' in answer ? answer : undefined;
}

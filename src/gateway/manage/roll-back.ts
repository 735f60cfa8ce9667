import type { Case } from '../../incident/case.ts';
import type { Incidents } from '../../incident/open-incidents.ts';
import type { Order, OrderWish } from '../../incident/order.ts';
import type { Backends } from '../backend/open-backends.ts';
import { rollbackOf } from '../contain/rollbacks.ts';

/** What going back stands on. */
export interface RollBackParts {
  readonly backends: Pick<Backends, 'status' | 'rollback'>;
  readonly incidents: Pick<Incidents, 'open' | 'act' | 'lift' | 'needsApproval' | 'config' | 'overseen'>;
}

/** What waits for a second person, and in which case. */
export interface AskedAct {
  readonly asked: string;
  readonly case: Case;
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
  const why = because ?? 'asked for beside any case';
  const wish: OrderWish = { measure: 'rollback', target: { model }, because: why };
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
  const id = (ends ? inForce.case : undefined) ?? (await caseFor(model, { by, why }, incidents));
  const outcome = ends
    ? await incidents.lift({ ...inForce, case: id } satisfies Order, by)
    : await incidents.act(id, wish, by);
  return outcome.done ? undefined : { asked: outcome.act, case: outcome.case };
}

/** The case in which the rollback of a model waits: one for all who ask while it is open. */
async function caseFor(
  model: string,
  { by, why }: { readonly by: string; readonly why: string },
  incidents: Pick<Incidents, 'open'>,
): Promise<string> {
  const { id } = await incidents.open(
    {
      ...{ title: `Rollback of ${model} is asked for`, why, model, kind: 'fault', severity: 'medium' },
      ...{ principals: [], decisions: [], subject: `rollback of ${model}` },
    },
    by,
  );
  return id;
}

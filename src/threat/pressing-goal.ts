import type { Goal } from './goal.ts';

/**
 * The goal as it looks to an attacker who never stops at the first success: it is never reached, so an attack in a ball goes through all its
 * steps and keeps its strongest point. For examples that are to fool other models: one that only just crosses the boundary of the
 * model that it was made on seldom crosses another's. Attacks that look for the nearest example find none under it.
 */
export function pressing(goal: Goal): Goal {
  return { ...goal, reached: () => false };
}

import type { BudgetUse } from './open-budgets.ts';

const DAY = 86_400_000;

/** A budget that runs out, as far as one can tell. */
export interface RunningOut {
  readonly used: number;
  readonly limit: number;
  readonly step: string;
  /** When it is empty at the speed of the last day, milliseconds since 1970; missing where it never is, because its window gives back as much. */
  readonly emptyAt?: number;
}

/**
 * The budget of which the largest share is used, and when it is empty if its principal goes on as on the last day (`perDay` samples). Only a principal's own budget has such
 * a time: how fast others use what they share, its speed does not tell. What the window gives back on the way is left out, so it is rather too early than too late.
 */
export function budgetRunningOut(
  uses: readonly BudgetUse[],
  { perDay, now }: { readonly perDay: number; readonly now: number },
): RunningOut | undefined {
  const fullest = uses.reduce<BudgetUse | undefined>(
    (most, use) => (most === undefined || use.used / use.limit > most.used / most.limit ? use : most),
    undefined,
  );
  if (fullest === undefined) return undefined;
  const { used, limit, step, scope, window } = fullest;
  const lasts = scope === 'principal' && perDay > 0 && (perDay / DAY) * window > limit;
  const emptyAt = used >= limit ? now : lasts ? Math.round(now + ((limit - used) / perDay) * DAY) : undefined;
  return { used, limit, step, ...(emptyAt !== undefined && { emptyAt }) };
}

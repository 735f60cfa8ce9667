import type { Principal } from './principal.ts';

/** How an answer is given while a budget runs out, the best first. */
export const BUDGET_STEPS = ['full', 'rounded', 'top1', 'label', 'refuse'] as const;

/** One of {@link BUDGET_STEPS}. */
export type BudgetStep = (typeof BUDGET_STEPS)[number];

/** Limits on requests per time. */
export interface Rates {
  /** Takes one request of `n` samples from every limit that applies. Undefined: go on; otherwise seconds until it may be tried again. Errors: `Refused` `unavailable` where the store is gone and the policy closes. */
  take(
    who: { readonly principal: Principal | undefined; readonly address: string },
    n: number,
  ): Promise<number | undefined> | number | undefined;
}

/** Budgets of queries over weeks. */
export interface Budgets {
  /** Takes `n` queries; the step says how to answer, `refuse` that nothing was taken. Errors: `Refused` `unavailable`. */
  take(principal: Principal, model: string, n: number): Promise<BudgetStep> | BudgetStep;
  /** Gives back what a call took that could not be answered through no fault of the caller, where the policy says that such calls are free. */
  refund?(principal: Principal, model: string, n: number): void;
  /** What is used and left, for the management side. */
  state(
    principal: string,
    model: string,
  ): Promise<{ readonly used: number; readonly limit: number; readonly step: BudgetStep }>;
}

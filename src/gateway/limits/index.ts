/** Limits on requests per time, and budgets of queries over weeks. */
export { type BudgetsConfig, budgetsSchema } from './budgets-schema.ts';
export { type BudgetsSurroundings, type BudgetUse, type OpenBudgets, openBudgets } from './open-budgets.ts';
export { type OpenRates, openRates, type RatesSurroundings } from './open-rates.ts';
export { type RatesConfig, ratesSchema } from './rates-schema.ts';

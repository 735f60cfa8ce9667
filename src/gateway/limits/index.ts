/** Limits on requests per time, and budgets of queries over weeks. */
export { budgetsSchema } from './budgets-schema.ts';
export { type OpenBudgets, openBudgets } from './open-budgets.ts';
export { type OpenRates, openRates } from './open-rates.ts';
export { ratesSchema } from './rates-schema.ts';

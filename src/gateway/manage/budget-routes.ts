import { GlacisError } from '../../core/error.ts';
import type { OpenBudgets } from '../limits/index.ts';
import { type ManagementRoute, route } from './route.ts';

/** What is used and left of query budgets. */
export function budgetRoutes(budgets: OpenBudgets): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/budgets',
      about: 'Every budget that a call would meet: ?principal=, ?tenant=, ?model=.',
      action: 'budgets.read',
      async run({ query }) {
        const { principal, tenant, model } = query;
        if (principal === undefined || tenant === undefined || model === undefined)
          throw new GlacisError('option/invalid', 'expected ?principal=, ?tenant= and ?model=');
        return { json: await budgets.uses({ id: principal, tenant }, model) };
      },
    }),
  ];
}

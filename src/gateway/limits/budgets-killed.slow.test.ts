import { expect, it } from 'vitest';
import { holdsAgainstKills } from './budgets-killed.fixture.ts';

it('a gateway that is killed fifty times never gets a query of a budget back, and loses a lease at most (abuse group 22)', async () => {
  await expect(holdsAgainstKills(50)).resolves.toBeUndefined();
});

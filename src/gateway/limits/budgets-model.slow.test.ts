import { expect, it } from 'vitest';
import { holdsWhateverHappens } from './budgets-model.fixture.ts';

it('budgets of two gateways give no more in any window than they say, and all of it again after one, whatever happens', async () => {
  await expect(holdsWhateverHappens(100)).resolves.toBeUndefined();
});

import { expect, it } from 'vitest';
import { deltaWarning, type PrivacyStatement, sentenceOf } from './statement.ts';

const pld: PrivacyStatement = {
  schema: 'glacis.privacy/1',
  epsilon: 2.29531,
  epsilonLower: 2.28999,
  delta: 1e-5,
  accountant: 'pld',
  sampling: 'poisson',
  neighbours: 'add-or-remove-one',
  runs: [{ rate: 0.004, noise: 1.1, steps: 15000 }],
};

it('a sentence names everything and rounds to the bad side', () => {
  expect(sentenceOf(pld)).toBe(
    'epsilon 2.2954 at delta 1e-5, by the PLD accountant (not below 2.2899), with Poisson sampling, for data sets that differ by adding or removing one sample',
  );
  const rdp = sentenceOf({ ...pld, accountant: 'rdp', epsilon: 0.00123456, order: 8.4 });
  expect(rdp).toMatch(/^epsilon 0\.001235 at .* by the RDP accountant \(order 8\.4\)/);
  expect(sentenceOf({ ...pld, epsilon: 0 })).toMatch(/^epsilon 0 /);
  expect(sentenceOf({ ...pld, epsilon: 5.57e12 })).toMatch(/^epsilon 5\.5700e\+12 /);
});

it('a delta above 1/n is warned of', () => {
  expect(deltaWarning(1e-5, 60000)).toBeUndefined();
  expect(deltaWarning(1e-5, 200_000)).toMatch(/larger than 1\/n = 0\.00000500/);
});

import { expect, it } from 'vitest';
import { mostAdvantage } from './advantage.ts';

it('bounds what membership inference can gain, from delta alone to certainty', () => {
  expect(mostAdvantage(0, 0.01)).toBeCloseTo(0.01, 12);
  // At epsilon ln 3 the best attacker is right with three in four: rates ¾ and ¼.
  expect(mostAdvantage(Math.log(3), 0)).toBeCloseTo(0.5, 12);
  expect(mostAdvantage(1000, 0)).toBe(1);
  // Randomised response meets the bound: the corner TPR = e^epsilon FPR + delta, 1 − FPR = e^epsilon (1 − TPR) + delta.
  const [e, delta] = [Math.exp(2), 1e-3];
  const falsePositives = (1 - delta) / (1 + e);
  expect(mostAdvantage(2, delta)).toBeCloseTo(e * falsePositives + delta - falsePositives, 12);
});

import { expect, it } from 'vitest';
import { CORRUPTION_SEVERITIES, parametersFor, type SeverityTable } from './severity.ts';

const TABLE: SeverityTable = {
  cifar: [[1], [2], [3], [4], [5]],
  tinyImageNet: [[11], [12], [13], [14], [15]],
  imageNet: [[31], [32], [33], [34], [35]],
};
const at = (height: number, width: number, severity: 1 | 5 = 1) =>
  parametersFor(TABLE, { height, width }, severity)[0]!;

it('takes the published figures at the published sizes, and beyond them', () => {
  expect([at(1, 1), at(28, 28), at(32, 32), at(32, 400)]).toEqual([1, 1, 1, 1]);
  expect([at(64, 64), at(64, 64, 5)]).toEqual([11, 15]);
  expect([at(224, 224), at(299, 224), at(4000, 3000, 5)]).toEqual([31, 31, 35]);
});

it('goes from one to the next along the logarithm of the shorter side', () => {
  expect(at(45.254834, 100)).toBeCloseTo(6, 5);
  const sides = [33, 40, 63, 65, 100, 223];
  const values = sides.map((side) => at(side, side));
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(values.every((value) => value > 1 && value < 31)).toBe(true);
});

it('has five severities', () => {
  expect(CORRUPTION_SEVERITIES).toEqual([1, 2, 3, 4, 5]);
});

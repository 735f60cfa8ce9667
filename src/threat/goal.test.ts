import { describe, expect, it } from 'vitest';
import { argmax, binaryGoal, classificationGoal, multilabelGoal, regressionGoal } from './goal.ts';

const NaNs = Number.NaN;

describe('argmax', () => {
  it.each([
    [[1, 3, 2], 1],
    [[2, 2, 1], 0],
    [[NaNs, -5, -6], 1],
    [[NaNs, NaNs, NaNs], 0],
    [[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e38], 2],
  ])('of %j is %d', (values, at) => {
    expect(argmax(Float32Array.from([9, ...values, 9]), 1, 3)).toBe(at);
  });
});

describe('the classification goal', () => {
  const outputs = Float32Array.of(0, 1, 2, 5, 1, 2);
  it('is reached by any other class than the label', () => {
    const goal = classificationGoal([2, 1], 3);
    expect([goal.reached(0, outputs, 0), goal.reached(1, outputs, 3)]).toEqual([false, true]);
    expect([goal.task, goal.targeted]).toEqual(['classification', false]);
  });

  it('with targets is reached by that class only', () => {
    const goal = classificationGoal([2, 1], 3, [0, 0]);
    expect([goal.reached(0, outputs, 0), goal.reached(1, outputs, 3)]).toEqual([false, true]);
    expect(goal.targeted).toBe(true);
  });

  it('takes a score that is no number for no answer: neither right nor what an attacker wanted', () => {
    const none = Float32Array.of(NaNs, NaNs, NaNs, NaNs, 1, 2);
    for (const label of [0, 1, 2]) {
      expect(classificationGoal([label], 3).reached(0, none, 0)).toBe(true);
      expect(classificationGoal([label], 3, [0]).reached(0, none, 0)).toBe(false);
    }
    // The scores that are numbers decide between each other.
    expect([0, 1, 2].map((label) => classificationGoal([label], 3).reached(0, none, 3))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('feeds the labels, or the targets, of the samples in their order', () => {
    const wanted = { dtype: 'int64', dims: [3], data: BigInt64Array.of(7n, 5n, 7n) };
    expect(classificationGoal([5, 6, 7], 9).feed([2, 0, 2])).toEqual(wanted);
    expect(classificationGoal([1, 1, 1], 9, [5, 6, 7]).feed([2, 0, 2])).toEqual(wanted);
    expect(classificationGoal([1], 2).input(4)).toEqual({ dtype: 'int64', dims: [4] });
  });
});

describe('the binary goal', () => {
  it('is reached on the other side of 0; 0 itself counts as the class 0, and NaN as no answer', () => {
    const goal = binaryGoal([0, 1]);
    const at = (sample: number, z: number) => goal.reached(sample, Float32Array.of(99, z), 1);
    expect([at(0, 0.1), at(0, 0), at(0, -1), at(0, NaNs)]).toEqual([true, false, false, true]);
    expect([at(1, 0.1), at(1, 0), at(1, -1), at(1, NaNs)]).toEqual([false, true, true, true]);
  });

  it('feeds the labels as a column', () => {
    expect(binaryGoal([0, 1, 1]).feed([1, 0])).toEqual({
      dtype: 'float32',
      dims: [2, 1],
      data: Float32Array.of(1, 0),
    });
  });
});

describe('the multilabel goal', () => {
  const goal = multilabelGoal([1, 0, 1, 0, 0, 1], 3);
  it('is reached by one wrong label', () => {
    expect(goal.reached(0, Float32Array.of(1, -1, 1), 0)).toBe(false);
    expect(goal.reached(0, Float32Array.of(1, -1, -1), 0)).toBe(true);
    expect(goal.reached(1, Float32Array.of(9, -1, -1, 1), 1)).toBe(false);
    expect(goal.reached(1, Float32Array.of(NaNs, -1, 1), 0)).toBe(true);
    expect(goal.reached(1, Float32Array.of(0, 0, 1), 0)).toBe(false);
  });

  it('feeds rows of labels', () => {
    expect(goal.feed([1, 0])).toEqual({
      dtype: 'float32',
      dims: [2, 3],
      data: Float32Array.of(0, 0, 1, 1, 0, 1),
    });
  });
});

describe('the regression goal', () => {
  const goal = regressionGoal([1, 2, 3, 4], 2, 0.5);
  it('is reached by one output off by more than the tolerance, or by none at all', () => {
    expect(goal.reached(0, Float32Array.of(1.5, 2.5), 0)).toBe(false);
    expect(goal.reached(0, Float32Array.of(1, 1.4), 0)).toBe(true);
    expect(goal.reached(1, Float32Array.of(0, 3, 4), 1)).toBe(false);
    expect(goal.reached(1, Float32Array.of(NaNs, 4), 0)).toBe(true);
  });

  it.each([0, -1, NaNs])('refuses a tolerance of %d', (tolerance) => {
    expect(() => regressionGoal([1], 1, tolerance)).toThrow(/--tolerance: expected a number above 0/);
  });
});

import { describe, expect, it } from 'vitest';
import { NO_ANSWER, predictionsOf } from './prediction.ts';

const NaNs = Number.NaN;

describe('predictionsOf', () => {
  it('gives the class of the largest score, and none where no score is a number', () => {
    const logits = Float32Array.of(1, 3, 2, NaNs, 1, 2, NaNs, NaNs, NaNs);
    expect([...predictionsOf('classification', logits, 3, 3)]).toEqual([1, 2, NO_ANSWER]);
  });

  it('gives a side for every output of one or several, and none for a NaN', () => {
    const logits = Float32Array.of(0.1, 0, -3, NaNs);
    expect([...predictionsOf('binary', logits, 4, 1)]).toEqual([1, 0, 0, NO_ANSWER]);
    expect([...predictionsOf('multilabel', logits, 2, 2)]).toEqual([1, 0, 0, NO_ANSWER]);
  });

  it('gives numbers as they are', () => {
    const logits = Float32Array.of(0.5, NaNs, -2, 7);
    expect(predictionsOf('regression', logits, 2, 2)).toEqual(logits);
  });
});

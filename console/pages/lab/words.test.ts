import { describe, expect, it } from 'vitest';
import type { LabRun } from '../../../src/gateway/console/api.ts';
import { epsRange, epsWords, verdictOf } from './words.ts';

const names = ['stop', 'yield', 'go'];
const run = (over: Partial<LabRun> = {}): LabRun => ({
  ...{ id: 'r', model: 'm', attack: 'pgd', norm: 'linf', eps: 0.1, label: 0, state: 'done', progress: 1 },
  ...{ classes: 3, original: [0], clean: [0.9, 0.1, 0], fell: true, within: true, queries: 12, gradients: 1 },
  ...{ distance: { linf: 0, l2: 0, l0: 0 }, seconds: 1 },
  steps: [{ values: [0], scores: [0.2, 0.8, 0], queries: 12 }],
  ...over,
});

describe('the verdict on a trial', () => {
  it('says what became of what, and what it took', () => {
    expect(verdictOf(run(), 'gradient', names)).toMatchObject({
      chip: 'The decision flipped',
      tone: 'changed',
      text: expect.stringMatching(/^stop \(90\.0.%\) became yield \(80\.0.%\)\. It took 1 look/),
    });
    expect(verdictOf(run(), 'labels', names).text).toMatch(/It took 12 questions\./);
  });

  it('never says that it fell where it held, was wrong before, or fell beyond eps', () => {
    const held = run({ fell: false, steps: [{ values: [0], scores: [0.6, 0.4, 0], queries: 1 }] });
    expect(verdictOf(held, 'scores', names)).toMatchObject({ chip: 'It held', tone: 'held' });
    const wrong = run({ clean: [0.1, 0.9, 0] });
    expect(verdictOf(wrong, 'scores', undefined).text).toMatch(/takes it for class 1 as it is/);
    const far = verdictOf(run({ within: false }), 'gradient', names);
    expect(far).toMatchObject({ chip: 'It flips further out', tone: 'warn' });
    expect(far.text).toMatch(/within eps the model held/);
  });

  it('does not name the right class as the new one where both are even', () => {
    const even = run({ steps: [{ values: [0], scores: [0.5, 0.5, 0], queries: 1 }] });
    expect(verdictOf(even, 'gradient', names).text).toMatch(/became something else by a hair/);
  });
});

it.each(['linf', 'l2', 'l1', 'l0'])('the slider of %s holds its usual value', (norm) => {
  const { least, most, step, usual } = epsRange(norm, 2, 3072);
  expect(usual).toBeGreaterThan(least);
  expect(usual).toBeLessThanOrEqual(most);
  expect(step).toBeGreaterThan(0);
});

it('eps is told as people write it', () => {
  expect(epsWords('linf', 8 / 255, 1)).toBe('8/255 of the range');
  expect(epsWords('linf', 16 / 255, 2)).toBe('8/255 of the range');
  expect(epsWords('l2', 1.5000001, 1)).toBe('1.5');
  expect(epsWords('l0', 1, 1)).toBe('1 value');
});

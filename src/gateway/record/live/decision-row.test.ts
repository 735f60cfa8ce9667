import { describe, expect, it } from 'vitest';
import { decisionRow } from './decision-row.ts';

const decision = {
  ...{
    id: 'a'.repeat(32),
    at: 5,
    model: 'signs',
    version: '1',
    n: 1,
    outcome: 'answered',
    principal: 'acme',
  },
  guards: [
    { guard: 'entropy', action: 'pass', score: 9 },
    { guard: 'margin', action: 'flag', score: 2 },
  ],
  top: Array.from({ length: 20 }, () => [3, 0.5]),
};

describe('a decision in a list', () => {
  it('names who asked only to those who may know', () => {
    expect(decisionRow(7, { decision }, undefined).principal).toBeUndefined();
    expect(decisionRow(7, { decision }, { principal: 'acme' }).principal).toBe('acme');
  });

  it('has the gravest word of a guard and the first classes', () => {
    const row = decisionRow(7, { decision }, undefined);
    expect(row.guard).toEqual({ guard: 'margin', action: 'flag', score: 2 });
    expect(row.top).toHaveLength(8);
  });
});

import { describe, expect, it } from 'vitest';
import { exactPage, passedOf } from './exact-page.ts';

const finding = {
  event: 'exact',
  guard: 'constraints',
  subject: 'cancer',
  settings: ['rules alone', 'at 0.1 %'],
};

describe('the page of the exact guards', () => {
  it('counts as passed what changes the answer and is not refused', () => {
    const counted = {
      ...finding,
      guard: 'g',
      subject: 's',
      kind: 'attacked',
      name: 'a',
      n: [10, null],
    } as const;
    expect(passedOf({ ...counted, fooled: [7, null], refused: [5, null] })).toEqual([2, null]);
    // Where all inputs are judged, those that were refused need not be among those that change.
    expect(passedOf({ ...counted, fooled: [7, null], refused: [10, null], passed: [0, null] })).toEqual([
      0,
      null,
    ]);
  });

  it('shows shares with their exact intervals, and a dash where a setting does not exist', () => {
    const page = exactPage([
      { ...finding, kind: 'calm', name: 'calm', n: [150, null], refused: [0, null] },
      { ...finding, kind: 'adaptive', name: 'pgd', n: [100, null], fooled: [60, null], refused: [0, null] },
      { event: 'peer', name: 'ART PGD' },
    ]);
    expect(page).toContain('### constraints on breast cancer, a real table');
    expect(page).toContain('| **calm** | 150 | 0.0 (0.00–2.4) | – |');
    expect(page).toContain('| *pgd* | 100 | 0.0 (0.00–6.0) · 60.0 → 60.0 (49.7–69.7) | – |');
    expect(page).not.toContain('ART');
  });
});

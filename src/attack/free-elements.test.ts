import { expect, it } from 'vitest';
import type { Constraint } from '../threat/constraint.ts';
import type { Ball } from '../threat/norm.ts';
import { clearFixed, freeElements, restoreFixed } from './free-elements.ts';

const constraint: Constraint = {
  id: 'mask',
  title: 'mask',
  free: Uint8Array.of(1, 0, 1),
  project: () => {},
  violation: () => undefined,
};
const open: Ball = { norm: 'l2', eps: 1, bounds: [0, 1] };
const masked: Ball = { ...open, constraint };

it('clears what may not change in every row of directions', () => {
  const rows = Float32Array.of(1, 2, 3, 4, 5, 6);
  clearFixed(masked, rows);
  expect([...rows]).toEqual([1, 0, 3, 4, 0, 6]);
});

it('restores what may not change in every row of points', () => {
  const rows = Float32Array.of(1, 2, 3, 4, 5, 6);
  restoreFixed(masked, Float32Array.of(7, 8, 9), rows);
  expect([...rows]).toEqual([1, 8, 3, 4, 8, 6]);
});

it('names the elements that may change', () => {
  expect([...freeElements(masked, 3)]).toEqual([0, 2]);
  expect([...freeElements(open, 3)]).toEqual([0, 1, 2]);
});

it('touches nothing where everything may change', () => {
  const rows = Float32Array.of(1, 2, 3);
  clearFixed(open, rows);
  restoreFixed(open, new Float32Array(3), rows);
  expect([...rows]).toEqual([1, 2, 3]);
});

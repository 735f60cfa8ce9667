import type { GradientCase } from '../check-gradient.ts';
import { CASES as conv } from './conv.ts';
import { CASES as elementwise } from './elementwise.ts';
import { CASES as matmul } from './matmul.ts';
import { CASES as move } from './move.ts';
import { CASES as normalisation } from './normalisation.ts';
import { CASES as reduce } from './reduce.ts';
import { CASES as scatter } from './scatter.ts';
import { CASES as window } from './window.ts';

/** The cases of every family, one line a file. */
export const CASES: readonly GradientCase[] = [
  ...conv,
  ...elementwise,
  ...matmul,
  ...move,
  ...normalisation,
  ...reduce,
  ...scatter,
  ...window,
];

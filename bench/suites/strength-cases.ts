import { ballCases } from './strength-ball-cases.ts';
import { blindCases } from './strength-blind-cases.ts';
import { SCALES, type StrengthCase } from './strength-case.ts';
import { minimumCases } from './strength-minimum-cases.ts';
import { otherCases } from './strength-other-cases.ts';

/** All cases, network by network. */
export const STRENGTH_CASES: readonly StrengthCase[] = SCALES.flatMap((scale) => [
  ...ballCases(scale),
  ...minimumCases(scale),
  ...blindCases(scale),
  ...otherCases(scale),
]);

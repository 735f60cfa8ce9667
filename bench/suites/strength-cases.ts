import { ballCases } from './strength-ball-cases.ts';
import { blindCases } from './strength-blind-cases.ts';
import { SCALES, type Scale, type StrengthCase } from './strength-case.ts';
import { minimumCases } from './strength-minimum-cases.ts';
import { otherCases } from './strength-other-cases.ts';

/** The first peer of each attack, unless all are wanted. */
function chosenPeers({ every }: Scale, cases: readonly StrengthCase[]): readonly StrengthCase[] {
  const isAlike = (a: StrengthCase, b: StrengthCase) => a.ours === b.ours && a.norm === b.norm;
  return every ? cases : cases.filter((each, i) => cases.findIndex((other) => isAlike(each, other)) === i);
}

/** All cases, network by network. */
export const STRENGTH_CASES: readonly StrengthCase[] = SCALES.flatMap((scale) => [
  ...chosenPeers(scale, [...ballCases(scale), ...minimumCases(scale)]),
  ...blindCases(scale),
  ...otherCases(scale),
]);

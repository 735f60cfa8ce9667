import type { GuardKind } from '../guard.ts';
import { constraintsGuard } from './constraints.ts';
import { energyGuard } from './energy.ts';
import { entropyGuard } from './entropy.ts';
import { featureSqueezingGuard } from './feature-squeezing.ts';
import { feedsGuard } from './feeds.ts';
import { inputGuard } from './input.ts';
import { mahalanobisGuard } from './mahalanobis.ts';
import { marginGuard } from './margin.ts';
import { nearDuplicatesGuard } from './near-duplicates.ts';
import { nearestFeaturesGuard } from './nearest-features.ts';
import { pradaGuard } from './prada.ts';
import { queryShiftGuard } from './query-shift.ts';
import { similarQueriesGuard } from './similar-queries.ts';

/** A kind of guard and whether it is on where the policy does not name it. */
export interface RegisteredGuard {
  readonly kind: GuardKind<object>;
  /**
   * `always`: without being named. `calibrated`: where the model's calibration has a part for it. `named`: only where the policy names it. What measurements say of each is in
   * docs/guards.md; one that does not help, or costs passes of the model, is `named`.
   */
  readonly on: 'always' | 'calibrated' | 'named';
}

/** Every kind of guard, in the order in which they judge: the cheapest first. */
export const GUARDS: readonly RegisteredGuard[] = [
  entry(inputGuard, 'always'),
  entry(constraintsGuard, 'named'),
  entry(feedsGuard, 'named'),
  entry(entropyGuard, 'calibrated'),
  entry(marginGuard, 'calibrated'),
  entry(energyGuard, 'named'),
  entry(mahalanobisGuard, 'calibrated'),
  entry(nearestFeaturesGuard, 'calibrated'),
  entry(featureSqueezingGuard, 'named'),
  entry(nearDuplicatesGuard, 'calibrated'),
  entry(similarQueriesGuard, 'calibrated'),
  entry(queryShiftGuard, 'calibrated'),
  entry(pradaGuard, 'named'),
];

/** A kind among others: its options come from its own schema, so its own type fits them. */
function entry<Options extends object>(kind: GuardKind<Options>, on: RegisteredGuard['on']): RegisteredGuard {
  return { kind: kind as unknown as GuardKind<object>, on };
}

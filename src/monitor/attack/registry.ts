import type { MonitorKind } from '../monitor.ts';
import { boundaryWalk } from './boundary-walk.ts';
import { budgetCreep } from './budget-creep.ts';
import { extraction } from './extraction.ts';
import { nearDuplicates } from './near-duplicates.ts';
import { sybil } from './sybil.ts';
import { timingProbes } from './timing-probes.ts';

/** Kinds that notice what somebody does, A to Z. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
export const ATTACK_MONITORS: readonly MonitorKind<any>[] = [
  boundaryWalk,
  budgetCreep,
  extraction,
  nearDuplicates,
  sybil,
  timingProbes,
];

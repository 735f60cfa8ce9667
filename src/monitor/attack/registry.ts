import type { MonitorKind } from '../monitor.ts';

/** Kinds that notice what somebody does, A to Z. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
export const ATTACK_MONITORS: readonly MonitorKind<any>[] = [];

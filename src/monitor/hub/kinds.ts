import { ATTACK_MONITORS } from '../attack/registry.ts';
import { DRIFT_MONITORS } from '../drift/registry.ts';
import type { MonitorKind } from '../monitor.ts';

/** Every kind of monitor. */
// biome-ignore lint/suspicious/noExplicitAny: kinds of all options stand in one list.
export const KINDS: readonly MonitorKind<any>[] = [...ATTACK_MONITORS, ...DRIFT_MONITORS];

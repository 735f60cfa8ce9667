import type { LowerRule } from '../lower/rule.ts';

/** Operators of old opsets in the form of the build opset. */
export const UPGRADES: readonly LowerRule[] = [];

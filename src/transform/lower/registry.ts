import type { LowerRule } from './rule.ts';

/** Operators that are written as primitives before a gradient is taken. */
export const LOWERINGS: readonly LowerRule[] = [];

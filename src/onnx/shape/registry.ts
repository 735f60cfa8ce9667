import type { ShapeRule } from './rule.ts';

/** Shape rules by `domain:op`. */
export const SHAPE_RULES: ReadonlyMap<string, ShapeRule> = new Map<string, ShapeRule>([]);

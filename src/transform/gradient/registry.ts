import type { GradientRule } from './rule.ts';
import { add, div, mul, neg, sub } from './rules/arithmetic.ts';

/** Every gradient rule. One line a family, A to Z by file. */
export const GRADIENT_RULES: readonly GradientRule[] = [add, div, mul, neg, sub];

const BY_KEY = new Map<string, GradientRule>();
for (const rule of GRADIENT_RULES) {
  const key = `${rule.domain}:${rule.op}`;
  if (BY_KEY.has(key)) throw new Error(`two gradient rules for ${key}`);
  BY_KEY.set(key, rule);
}

/** The rule for an operator at `opset`, or `undefined`; never a fallback. */
export function ruleFor(domain: string, op: string, opset: number): GradientRule | undefined {
  const rule = BY_KEY.get(`${domain}:${op}`);
  return rule && rule.since <= opset ? rule : undefined;
}

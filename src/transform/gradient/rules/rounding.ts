import type { GradientRule } from '../rule.ts';
import { unaryRule } from './unary.ts';

const STEP_NOTE = 'zero; with straight-through rounding x̄ = g';

/** A function of steps: zero almost everywhere, or the identity under `rounding: 'straight-through'`. */
function step(op: string, since: number): GradientRule {
  return unaryRule(op, since, STEP_NOTE, ({ g, options }) =>
    options.rounding === 'straight-through' ? g : null,
  );
}

export const round = step('Round', 11);
export const floor = step('Floor', 6);
export const ceil = step('Ceil', 6);

/** `y = sign(x)`: zero; straight-through it is the identity for `|x| ≤ 1` (Hubara et al. 2016, binarized networks). */
export const sign = unaryRule(
  'Sign',
  9,
  'zero; with straight-through rounding x̄ = g where |x| ≤ 1',
  ({ b, x, g, options }) =>
    options.rounding === 'straight-through'
      ? b.where(b.compare('LessOrEqual', b.unary('Abs', x), 1), g, 0)
      : null,
);

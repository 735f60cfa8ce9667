import { defineRule, type GradientRule } from '../rule.ts';

/** Operators that take only the shape or the type of an input, or draw from it: nothing flows back. */
function stop(op: string, since: number, note: string): GradientRule {
  return defineRule({ op, since, note, grad: ({ inputs }) => inputs.map(() => null) });
}

export const bernoulli = stop('Bernoulli', 15, 'zero: a draw');
export const eyeLike = stop('EyeLike', 9, 'zero: only the shape of the input is used');
export const randomNormalLike = stop('RandomNormalLike', 1, 'zero: only the shape of the input is used');
export const randomUniformLike = stop('RandomUniformLike', 1, 'zero: only the shape of the input is used');

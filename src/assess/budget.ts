import type { Attack } from '../attack/attack.ts';
import { GlacisError } from '../core/error.ts';
import type { Norm } from '../threat/norm.ts';

/** Throws `option/invalid` when the attack does not know the norm. */
export function checkNorm(attack: Attack<object>, norm: Norm): void {
  if (attack.norms.includes(norm)) return;
  throw new GlacisError(
    'option/invalid',
    `--norm: expected one that ${attack.id} knows (${attack.norms.join(', ')}), got ${norm}`,
  );
}

/** A usual radius for inputs of this range. Errors: `option/invalid` where the range is open. */
export function defaultEps(norm: Norm, [low, high]: readonly [number, number]): number {
  const width = high - low;
  if (!Number.isFinite(width))
    throw new GlacisError(
      'option/invalid',
      "--eps: expected a radius in the input's units, got none; without a known input range there is no usual one",
    );
  return { linf: 8 / 255, l2: 0.5, l1: 12, l0: 10 }[norm] * (norm === 'l0' ? 1 : width);
}

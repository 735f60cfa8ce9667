import { EVASION_ATTACKS, type PlannedAttack } from '../attack/registry.ts';
import { GlacisError } from '../core/error.ts';
import type { Norm } from '../threat/norm.ts';
import type { Subject } from './subject.ts';

/** Throws `option/invalid` when the attack does not know the norm, or an option is infinite (a result could not hold it). */
export function checkPlan({ attack, options }: PlannedAttack, norm: Norm): void {
  if (attack.seeks !== 'other' && !attack.norms.includes(norm))
    throw new GlacisError(
      'option/invalid',
      `--norm: expected one that ${attack.id} knows (${attack.norms.join(', ')}), got ${norm}`,
    );
  for (const [key, value] of Object.entries(options))
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new GlacisError('option/invalid', `${attack.id}: expected ${key} to be finite, got ${value}`);
}

/** Throws `option/invalid` when the attack needs more of the model than is visible. */
export function checkAccess({ attack }: PlannedAttack, { target }: Pick<Subject, 'target'>): void {
  if (attack.needs === 'gradient' && !target)
    throw new GlacisError(
      'option/invalid',
      `--attacks: expected attacks that only ask, because MODEL is an endpoint, got ${attack.id}, which needs gradients; give the model file, or take ${EVASION_ATTACKS.filter(
        (a) => a.needs !== 'gradient',
      )
        .map((a) => a.id)
        .join(', ')}`,
    );
}

/**
 * Throws `option/invalid` where transfer has no surrogate to make its examples on, and where a surrogate is given that no attack uses.
 * Attacks of one's own may use it.
 */
export function checkSurrogate(plans: readonly PlannedAttack[], surrogate: object | undefined): void {
  const ids = plans.map(({ attack }) => attack.id);
  if (!surrogate && ids.includes('transfer'))
    throw new GlacisError(
      'option/invalid',
      'transfer: expected a model to make examples on, got none; give it with --surrogate FILE',
    );
  const isUsed = plans.some(({ attack }) => attack.id === 'transfer' || !EVASION_ATTACKS.includes(attack));
  if (surrogate && !isUsed)
    throw new GlacisError(
      'option/invalid',
      `--surrogate: expected transfer among the attacks, which makes its examples there, got ${ids.join(', ')}`,
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

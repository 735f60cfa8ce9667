import { GlacisError } from '../core/error.ts';
import type { OrderTarget, OrderWish } from './order.ts';

/** Refuses a wish that lacks what its measure needs, or that would lock out everybody. Errors: `option/invalid`. */
export function checkWish({ measure, target, perMinute, guard, until }: OrderWish, now: number): void {
  const refuse = (wanted: string) => new GlacisError('option/invalid', `${measure}: expected ${wanted}`);
  const { principal, tenant, credential, address, model } = target;
  const isSomebody = [principal, tenant, credential, address].some((each) => each !== undefined);
  if ((measure === 'quarantine' || measure === 'throttle') && !isSomebody)
    throw refuse('a principal, tenant, credential or address; nothing locks out everybody');
  if ((measure === 'throttle') !== (perMinute !== undefined))
    throw refuse(measure === 'throttle' ? 'perMinute' : 'no perMinute');
  if ((measure === 'guard') !== (guard !== undefined))
    throw refuse(measure === 'guard' ? 'guard' : 'no guard');
  if (['guard', 'verify', 'pause', 'rollback'].includes(measure) && model === undefined)
    throw refuse('a model');
  if (until !== undefined && until <= now) throw refuse('an end that lies ahead');
}

/** Whom a measure meets, in words: names as they are. */
export function whom(target: OrderTarget): string {
  const parts = Object.entries(target).flatMap(([kind, value]) =>
    value === undefined ? [] : [`${kind} ${value}`],
  );
  return parts.length === 0 ? 'everybody' : parts.join(', ');
}

/** Whether two wishes do the same to the same. */
export function isSameWish(a: OrderWish, b: OrderWish): boolean {
  const told = ({
    measure,
    target: { principal, tenant, credential, address, model },
    perMinute,
    detail,
    guard,
  }: OrderWish) =>
    JSON.stringify(
      [
        measure,
        principal,
        tenant,
        credential,
        address,
        model,
        perMinute,
        detail,
        guard?.name,
        guard?.strictness,
        guard?.action,
      ].map((each) => each ?? null),
    );
  return told(a) === told(b);
}

import { z } from 'zod';
import { GlacisError } from '../core/error.ts';
import { MEASURES, type OrderTarget, type OrderWish } from './order.ts';
import { MOST_NAME } from './text.ts';

const name = z.string().min(1).max(MOST_NAME);

/** What a person may ask to be done, as it comes over the wire. */
export const wishSchema = z.strictObject({
  measure: z.enum(MEASURES),
  target: z.strictObject({
    principal: name.optional(),
    tenant: name.optional(),
    credential: name.optional(),
    address: name.optional(),
    model: name.optional(),
  }),
  perMinute: z.number().gt(0).max(1e9).optional(),
  detail: z.enum(['label', 'scores']).optional(),
  guard: z
    .strictObject({
      name: z.string().min(1).max(60),
      strictness: z.number().gt(0).max(1000),
      action: z.enum(['flag', 'degrade', 'refuse']).optional(),
    })
    .optional(),
  because: z.string().min(1).max(1000),
  case: z.string().max(64).optional(),
  until: z.number().int().min(0).max(8.64e15).optional(),
}) satisfies z.ZodType<OrderWish>;

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

import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { MEASURES, type OrderTarget, type OrderWish } from '../../incident/order.ts';
import { addressKey } from '../limits/address-key.ts';

const name = z.string().min(1).max(256);

const targetSchema = z.strictObject({
  principal: name.optional(),
  tenant: name.optional(),
  credential: name.optional(),
  address: name.refine((address) => addressKey(address, 64) !== 'other', 'expected an IP address').optional(),
  model: name.optional(),
});

/** Whom or what each measure can be for, and what it must say. */
const RULES: Readonly<Record<(typeof MEASURES)[number], (wish: OrderWish) => string | undefined>> = {
  throttle: ({ target, perMinute }) =>
    perMinute === undefined
      ? 'perMinute'
      : hasSome(target)
        ? undefined
        : 'a target: everybody cannot be throttled at once, rates are for that',
  degrade: () => undefined,
  quarantine: ({ target: { model: _, ...who } }) =>
    hasSome(who) ? undefined : 'a principal, tenant, credential or address',
  guard: ({ guard }) => (guard === undefined ? 'guard' : undefined),
  verify: ({ target }) => (target.model === undefined ? 'a model' : undefined),
  pause: onlyModel,
  rollback: onlyModel,
  freeze: ({ target }) => (hasSome(target) ? 'no target: it is for everything that is promoted' : undefined),
};

/** Settings and the one measure that each belongs to. */
const BELONGS = { perMinute: 'throttle', detail: 'degrade', guard: 'guard' } as const;

/** An {@link OrderWish} as somebody sends it. */
export const orderWishSchema: z.ZodType<OrderWish> = z
  .strictObject({
    measure: z.enum(MEASURES),
    target: targetSchema.default({}),
    perMinute: z.number().gt(0).max(1_000_000).optional(),
    detail: z.enum(['label', 'scores']).optional(),
    guard: z
      .strictObject({
        name: z.string().min(1).max(60),
        strictness: z.number().gt(0).max(1),
        action: z.enum(['flag', 'degrade', 'refuse']).optional(),
      })
      .optional(),
    because: z.string().min(1).max(1000),
    case: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'expected the id of a case')
      .optional(),
    until: z.int().min(0).optional(),
  })
  .superRefine((wish, { addIssue }) => {
    const missing = RULES[wish.measure](wish);
    if (missing !== undefined) addIssue({ code: 'custom', message: `${wish.measure}: expected ${missing}` });
    for (const [field, measure] of Object.entries(BELONGS))
      if (wish[field as keyof typeof BELONGS] !== undefined && wish.measure !== measure)
        addIssue({
          code: 'custom',
          message: `${wish.measure}: expected no ${field}, which is of ${measure}`,
        });
  });

/** A wish that can be carried out as far as it alone can tell. Errors: `option/invalid`. */
export function checkedWish(wish: OrderWish): OrderWish {
  const read = orderWishSchema.safeParse(wish);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new GlacisError('option/invalid', `order: ${issue!.path.join('.') || 'wish'}: ${issue!.message}`);
}

function onlyModel({ target: { model, ...who } }: OrderWish): string | undefined {
  return model === undefined || hasSome(who) ? 'a model, and nothing else, as its target' : undefined;
}

function hasSome(target: OrderTarget): boolean {
  return Object.values(target).some((value) => value !== undefined);
}

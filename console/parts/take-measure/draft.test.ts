import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderWishSchema } from '../../../src/gateway/contain/order-schema.ts';
import { MEASURES } from '../../../src/incident/order.ts';
import { checkWish } from '../../../src/incident/wish.ts';
import { type Draft, draftFrom, WHO, wishFrom } from './draft.ts';

const NOW = Date.UTC(2026, 10, 22);
const WHOLE = draftFrom({ name: 'mallory', model: 'signs', guard: 'energy', because: 'a copy' });

describe('a measure that a person puts together', () => {
  it.each(MEASURES)('%s is what the server takes', (measure) => {
    const wish = wishFrom({ ...WHOLE, measure }, NOW);
    expect(orderWishSchema.parse(wish)).toEqual(wish);
    expect(() => checkWish(wish!, NOW)).not.toThrow();
  });

  it('is never sent with what belongs to another measure, whatever was typed before', () => {
    fc.assert(
      fc.property(
        fc.record({
          measure: fc.constantFrom(...MEASURES),
          who: fc.constantFrom(...WHO.filter((who) => who !== 'address'), 'everybody' as const),
          name: fc.constantFrom('', ' ', 'mallory'),
          model: fc.constantFrom('', 'signs'),
          perMinute: fc.constantFrom('', '0', '-1', 'x', '6', '0.5'),
          guard: fc.constantFrom('', 'energy'),
          times: fc.constantFrom('1', '2', '4'),
          action: fc.constantFrom('', 'refuse'),
          hours: fc.constantFrom('', '1'),
          because: fc.constantFrom('', 'x'),
        }),
        (given) => {
          const wish = wishFrom(draftFrom(given as Partial<Draft>), NOW);
          if (wish === undefined) return;
          expect(orderWishSchema.safeParse(wish).error).toBeUndefined();
          expect(() => checkWish(wish, NOW)).not.toThrow();
        },
      ),
    );
  });

  it('says nothing of models and people where it is for everything, and narrows to both where both are said', () => {
    expect(wishFrom({ ...WHOLE, measure: 'freeze' }, NOW)!.target).toEqual({});
    expect(wishFrom({ ...WHOLE, measure: 'pause' }, NOW)!.target).toEqual({ model: 'signs' });
    expect(wishFrom({ ...WHOLE, who: 'tenant' }, NOW)!.target).toEqual({ tenant: 'mallory', model: 'signs' });
    expect(wishFrom({ ...WHOLE, hours: '2' }, NOW)!.until).toBe(NOW + 7_200_000);
    expect(wishFrom({ ...WHOLE, hours: '' }, NOW)!.until).toBeUndefined();
    expect(wishFrom({ ...WHOLE, measure: 'guard', times: '4', action: 'refuse' }, NOW)!.guard).toEqual({
      ...{ name: 'energy', strictness: 0.25, action: 'refuse' },
    });
  });

  it('waits for what is missing', () => {
    for (const lacking of [{ because: ' ' }, { name: '' }, { who: 'everybody' }, { perMinute: '' }] as const)
      expect(wishFrom({ ...WHOLE, ...lacking }, NOW), JSON.stringify(lacking)).toBeUndefined();
    expect(wishFrom({ ...WHOLE, measure: 'pause', model: '' }, NOW)).toBeUndefined();
    expect(wishFrom({ ...WHOLE, measure: 'guard', guard: '' }, NOW)).toBeUndefined();
  });
});

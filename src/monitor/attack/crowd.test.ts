import { describe, expect, it } from 'vitest';
import { crowdAround } from './crowd.ts';

/** Clients by number, with their own evidence, the part of it that rests on turns where that is another, and whom they met how often. */
function world(
  all: Readonly<Record<number, { own: number; turns?: number; met: Readonly<Record<number, number>> }>>,
) {
  const clients = Object.entries(all).map(([number, { own, turns = own, met }]) => ({
    number: Number(number),
    own,
    turns,
    partners: new Map(Object.entries(met).map(([other, n]) => [Number(other), n])),
  }));
  const byNumber = new Map(clients.map((each) => [each.number, each]));
  const around = (number: number) =>
    crowdAround(byNumber.get(number)!, byNumber, ({ own }) => own, [
      ({ own }) => own / 2,
      ({ turns }) => turns,
    ]);
  return {
    around,
    named: (number: number) =>
      around(number)
        .named.map((each) => each.number)
        .sort(),
  };
}

describe('a crowd', () => {
  const keys = {
    1: { own: 9, met: { 2: 5, 3: 5 } },
    2: { own: 8, met: { 1: 5, 3: 5, 4: 2 } },
    3: { own: 7, met: { 1: 5, 2: 5 } },
  };

  it('is who met each other, the weakly suspicious included', () => {
    const { around, named } = world({ ...keys, 4: { own: 1.5, met: { 2: 2, 1: 2 } } });
    expect(named(1)).toEqual([1, 2, 3, 4]);
    expect(around(1).evidence).toBeGreaterThan(15);
  });

  it('is nobody who met others more often, however suspicious: a camera beside whose pictures lures are sent', () => {
    const { around, named } = world({ ...keys, 4: { own: 17, met: { 2: 4, 9: 27 } } });
    expect(named(1)).toEqual([1, 2, 3]);
    expect(around(1).members).toHaveLength(3);
    // It leads to them, and is not one of them.
    expect(around(4).evidence).toBeGreaterThan(15);
    expect(named(4)).not.toContain(4);
  });

  it('names nobody who met others almost as often', () => {
    const { around, named } = world({ ...keys, 4: { own: 17, met: { 2: 11, 9: 9 } } });
    expect(named(1)).toEqual([1, 2, 3]);
    expect(around(1).members).toHaveLength(4);
  });

  it('takes three who bring evidence of their own: one hand and its victims are none', () => {
    const { around } = world({
      1: { own: 33, met: { 2: 100, 3: 100 } },
      2: { own: 1.9, met: { 1: 100 } },
      3: { own: 2.5, met: { 1: 100 } },
    });
    expect(around(1).evidence).toBe(Number.NEGATIVE_INFINITY);
  });

  it('names nobody whom only the other kind of tie brings: a camera beside whose pictures keys that take turns send lures', () => {
    const camera = { own: 17, turns: -3, met: { 1: 4, 2: 4, 3: 3 } };
    const { around, named } = world({ ...keys, 4: camera });
    expect(around(1).members).toHaveLength(4);
    expect(named(1)).toEqual([1, 2, 3]);
    expect(world({ ...keys, 4: { ...camera, turns: 17 } }).named(1)).toEqual([1, 2, 3, 4]);
  });

  it('of a hundred keys that know their neighbours alone is told of whole', () => {
    const ring = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [
        i + 1,
        { own: 4, met: { [((i + 1) % 100) + 1]: 3, [((i + 99) % 100) + 1]: 3 } },
      ]),
    );
    expect(world(ring).named(1)).toHaveLength(100);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';
import { GatheredBytes } from './gathered-bytes.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 30 });

describe('bytes that are put together', () => {
  it('are what came, in memory that is accounted for, and aligned where asked', () =>
    fc.assert(
      fc.property(
        pieces,
        fc.option(fc.nat(200_000), { nil: undefined }),
        fc.nat(5000),
        (given, declared, align) => {
          const budget = new ByteBudget(2 ** 30, 2 ** 30);
          const lease = budget.lease('192.0.2.1');
          const into = new GatheredBytes(declared, 1 << 20, lease, align);
          for (const piece of given) expect(into.add(piece)).toBeUndefined();
          const bytes = into.bytes();
          expect(Buffer.compare(bytes, Buffer.concat(given))).toBe(0);
          const isCopied = given.filter(({ length }) => length > 0).length > 1;
          if (isCopied) expect((bytes.byteOffset + align) % 8).toBe(0);
          if (bytes.length > 0) expect(budget.total).toBeGreaterThanOrEqual(bytes.length);
          lease.end();
          expect(budget.total).toBe(0);
        },
      ),
    ));

  it('grow with what came, not with what was declared', () => {
    const budget = new ByteBudget(2 ** 40, 2 ** 40);
    const into = new GatheredBytes(2 ** 39, 2 ** 39, budget.lease(''));
    into.add(new Uint8Array(1000));
    into.add(new Uint8Array(1000));
    expect(budget.total).toBeLessThan(20_000);
  });

  it('are not copied where they come in one piece', () => {
    const into = new GatheredBytes(3, 10, new ByteBudget(100, 100).lease(''));
    const piece = Uint8Array.of(1, 2, 3);
    into.add(piece);
    expect(into.bytes()).toBe(piece);
  });

  it('stop at the bound, and where there is no room', () => {
    const into = new GatheredBytes(undefined, 10, new ByteBudget(100, 100).lease(''));
    expect(into.add(new Uint8Array(10))).toBeUndefined();
    expect(into.add(new Uint8Array(1))).toBe('too-large');
    const cramped = new GatheredBytes(undefined, 1000, new ByteBudget(100, 100).lease(''));
    expect(cramped.add(new Uint8Array(101))).toBe('busy');
  });
});

describe('the memory that all share', () => {
  it('has a bound together and for each neighbourhood', () => {
    const budget = new ByteBudget(100, 60);
    const [a, b, c] = [budget.lease('192.0.2.1'), budget.lease('192.0.2.1'), budget.lease('192.0.2.2')];
    expect([a.grow(40), b.grow(30), b.grow(20), c.grow(41), c.grow(40)]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(budget.total).toBe(100);
    a.end();
    a.end();
    expect(budget.total).toBe(60);
    expect(b.grow(21)).toBe(true);
    const [x, y] = [budget.lease('2001:db8::1'), budget.lease('2001:db8::ffff')];
    c.end();
    expect([x.grow(60), y.grow(1)]).toEqual([true, false]);
  });
});

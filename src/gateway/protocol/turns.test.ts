import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('addresses take turns: one that asks much does not keep another waiting', async () => {
  const turns = new Turns(1);
  const order: string[] = [];
  const work = async (who: string, address: string) => {
    await turns.take(address);
    order.push(who);
    await null;
    turns.give();
  };
  const many = Array.from({ length: 6 }, (_, i) => work(`m${i}`, '2001:db8::1'));
  await Promise.all([...many, work('a', '192.0.2.1'), work('b', '192.0.2.2'), work('n', '2001:db8::2')]);
  expect(order).toEqual(['m0', 'm1', 'a', 'b', 'm2', 'm3', 'm4', 'm5', 'n']);
});

it('so many work at once, and no more', async () => {
  const turns = new Turns(3);
  let [now, most] = [0, 0];
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await turns.take(`192.0.2.${i % 4}`);
      most = Math.max(most, ++now);
      await new Promise((next) => setImmediate(next));
      now--;
      turns.give();
    }),
  );
  expect([now, most]).toEqual([0, 3]);
  expect([turns.take(''), turns.take(''), turns.take('')]).toEqual([undefined, undefined, undefined]);
});

import { describe, expect, it } from 'vitest';
import type { Order, OrderTarget } from '../../incident/order.ts';
import type { GuardVerdict, InputGuard } from '../guard.ts';
import { CALLER, modelFixture } from '../pipeline.fixture.ts';
import type { Principal } from '../principal.ts';
import { compileOrders, type InForceSurroundings } from './in-force.ts';
import type { Before, StoredOrder } from './order-row.ts';
import { openThrottles } from './throttles.ts';

const MODEL = modelFixture({ version: '2', digest: 'wrong' });
const PRINCIPAL: Principal = { id: 'ann', tenant: 'acme', credential: 'k1', kind: 'key', roles: [] };
const TIME = 1_700_000_000_000;

/** A measure in force for everybody; its name is its effect, too. */
const stored = (
  id: string,
  measure: Order['measure'],
  over: Partial<Order> = {},
  before: Before = {},
): StoredOrder => ({
  order: { id, measure, target: {}, because: 'drill', by: 'bob', at: 0, ...over },
  effect: id,
  before,
});
const compiled = (all: readonly StoredOrder[], over: Partial<InForceSurroundings> = {}) =>
  compileOrders(all, {
    now: () => TIME,
    throttles: openThrottles(() => 0),
    find: () => undefined,
    standInFor: () => {
      throw new Error('nobody can');
    },
    ...over,
  });
/** What holds for Ann's call. */
const about = (
  all: readonly StoredOrder[],
  over: Partial<InForceSurroundings> = {},
  address = CALLER.address,
) => compiled(all, over).about(PRINCIPAL, address, MODEL);

describe('whom a measure is for', () => {
  const HERS = { principal: 'ann', tenant: 'acme', credential: 'k1', address: '192.0.2.7', model: 'm' };
  const OTHERS = { principal: 'eve', tenant: 'evil', credential: 'k2', address: '192.0.2.8', model: 'n' };
  const parts = Object.keys(HERS) as (keyof OrderTarget)[];
  it.each(parts.flatMap((a) => parts.filter((b) => b !== a).map((b) => [a, b] as const)))(
    'those for whom %s and %s hold, and not those for whom one does',
    (a, b) => {
      const isFor = (target: OrderTarget) => about([stored('O-1', 'quarantine', { target })]) !== undefined;
      expect(isFor({ [a]: HERS[a], [b]: HERS[b] })).toBe(true);
      expect(isFor({ [a]: HERS[a], [b]: OTHERS[b] })).toBe(false);
      expect(isFor({ [a]: OTHERS[a], [b]: HERS[b] })).toBe(false);
    },
  );

  it('a whole network of IPv6, and not the one beside it', () => {
    const target = { address: '2001:db8:1:2::1' };
    const isFor = (address: string) =>
      about([stored('O-1', 'quarantine', { target })], {}, address) !== undefined;
    expect(isFor('2001:db8:1:2:ffff::9')).toBe(true);
    expect(isFor('2001:db8:1:3::1')).toBe(false);
    const both = { target: { principal: 'ann', ...target } };
    expect(about([stored('O-1', 'quarantine', both)], {}, '2001:db8:1:2:ffff::9')).toBeDefined();
  });
});

describe('measures end when they say, whatever they are', () => {
  const until = TIME + 1000;
  const rollback = stored(
    'O-1',
    'rollback',
    { target: { model: 'm' }, until },
    { to: '1', fromDigest: 'wrong', toDigest: 'right' },
  );
  const right = modelFixture({ version: '1', digest: 'right' });
  it.each([
    [until - 1, true],
    [until, false],
  ])('at %i ms: %s', (time, holds) => {
    const now = () => time;
    expect(
      about([stored('O-1', 'quarantine', { target: { principal: 'ann' }, until })], { now }) !== undefined,
    ).toBe(holds);
    expect(compiled([stored('O-1', 'freeze', { until })], { now }).frozen !== undefined).toBe(holds);
    const rolled = compiled([rollback], { now, find: () => right });
    expect(rolled.route(MODEL)).toBe(holds ? right : MODEL);
    expect(rolled.about(PRINCIPAL, CALLER.address, MODEL) !== undefined).toBe(holds);
  });

  it('a freeze goes on while another one lasts', () => {
    const later = stored('O-2', 'freeze');
    const both = [stored('O-1', 'freeze', { until }), later];
    expect(compiled(both, { now: () => until }).frozen).toBe(later);
  });
});

describe('a rollback', () => {
  const order = stored(
    'O-1',
    'rollback',
    { target: { model: 'm' }, changed: { from: '2', to: '1' } },
    { to: '1', fromDigest: 'wrong', toDigest: 'right' },
  );

  it('leads to the bytes that were there before, and to no others of that name', () => {
    const other = modelFixture({ version: '1', digest: 'swapped' });
    const swapped = compiled([order], { find: () => other });
    expect(swapped.route(MODEL)).toBe(MODEL);
    expect(() => swapped.about(PRINCIPAL, CALLER.address, MODEL)!.admit()).toThrow(
      expect.objectContaining({
        refusal: 'unavailable',
        because: 'order O-1: rollback: version 1 is not in memory',
      }),
    );
  });

  it('is about the bytes that were wrong, and lets others of the model answer', () => {
    const third = modelFixture({ version: '3', digest: 'third' });
    const find = () => modelFixture({ version: '1', digest: 'right' });
    expect(compiled([order], { find }).route(third)).toBe(third);
    expect(compiled([order], { find }).about(PRINCIPAL, CALLER.address, third)).toBeUndefined();
  });
});

describe('several measures at once', () => {
  const hers = stored('O-2', 'throttle', { target: { principal: 'ann' }, perMinute: 2 });

  it.each([
    [60, 2],
    [2, 60],
  ])('slow down by the slowest, %i a minute for her and %i for her tenant', (own, all) => {
    const restraint = about([
      stored('O-1', 'throttle', { target: { principal: 'ann' }, perMinute: own }),
      stored('O-2', 'throttle', { target: { tenant: 'acme' }, perMinute: all }),
    ])!;
    restraint.take(1);
    restraint.take(1);
    expect(() => restraint.take(1)).toThrow(
      expect.objectContaining({ refusal: 'throttled', retryAfter: 30 }),
    );
  });

  it('slow down anew when they are ordered anew', () => {
    const throttles = openThrottles(() => 0);
    about([hers], { throttles })!.take(9);
    expect(() => about([hers], { throttles })!.take(1)).toThrow();
    compiled([], { throttles });
    about([hers], { throttles })!.take(1);
  });

  it('tell as little as the least says, where one is about that', () => {
    expect(about([hers])!.most).toBeUndefined();
    const scores = stored('O-3', 'degrade', { detail: 'scores' });
    const label = stored('O-4', 'degrade');
    expect(about([hers, scores])!.most).toBe('scores');
    for (const all of [
      [scores, label],
      [label, scores],
    ])
      expect(about(all)!.most).toBe('label');
  });

  it('keep out before they say that a model is paused, so that nobody learns that it is there', () => {
    const pause = stored('O-3', 'pause', { target: { model: 'm' } });
    const quarantine = stored('O-4', 'quarantine', { target: { principal: 'ann' } });
    for (const all of [
      [pause, quarantine],
      [quarantine, pause],
    ])
      expect(() => about(all)!.admit()).toThrow(expect.objectContaining({ refusal: 'unknown' }));
  });

  it('make one guard as strict as all of them say, and leave others as they are', async () => {
    const guard = (name: string): InputGuard => ({
      ...{ name, phase: 'before', alarm: { threshold: 10, action: 'flag' } },
      judge: (): GuardVerdict => ({ action: 'pass', score: 6 }),
    });
    const strict = stored('O-3', 'guard', { guard: { name: 'g', strictness: 0.5 } });
    const grave = stored('O-4', 'guard', { guard: { name: 'g', strictness: 1, action: 'refuse' } });
    const milder = stored('O-5', 'guard', { guard: { name: 'g', strictness: 0.9, action: 'degrade' } });
    for (const all of [
      [strict, grave, milder],
      [milder, grave, strict],
      [grave, milder, strict],
    ]) {
      const guards = about(all)!.guards([guard('g'), guard('h')]);
      const said = await Promise.all(guards.map((each) => each.judge({} as never)));
      expect(said.map(({ action }) => action)).toEqual(['refuse', 'pass']);
    }
  });

  it('are all in the log', () => {
    const pause = stored('O-3', 'pause', { target: { model: 'm' } });
    expect(about([hers, pause])!.because).toBe('order O-2: throttle, order O-3: pause');
  });
});

it('a model that nobody can answer for any more answers nothing', () => {
  const verify = stored('O-1', 'verify', { target: { model: 'm' } });
  expect(() => about([verify])).toThrow(
    expect.objectContaining({ refusal: 'unavailable', because: 'order O-1: verify: nobody can' }),
  );
});

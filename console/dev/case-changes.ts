import type { Case, CaseEvent, CaseState } from '../../src/incident/case.ts';
import type { Order, OrderWish } from '../../src/incident/order.ts';
import { type FixtureCall, Refusal } from './fixture-server.ts';
import { hex, type World } from './world.ts';

/** Changes a case and tells who looks. Errors: a refusal where there is none. */
function change(world: World, id: string, given: Partial<Case>): Case {
  const before = world.cases.get(id);
  if (before === undefined) throw new Refusal(404, 'no such case');
  const after = { ...before, ...given, updated: world.now(), revision: before.revision + 1 };
  world.cases.set(id, after);
  world.publish({ kind: 'case', case: after });
  return after;
}

/** Adds to the timeline of a case. */
export function note(world: World, id: string, by: string, what: CaseEvent['what']): Case {
  world.events.push({
    id: hex(world.rng, 8),
    case: id,
    at: world.now(),
    by,
    what,
    entry: 184_300 + world.events.length,
  });
  return change(world, id, {});
}

/** The case, unless somebody else changed it. */
function checked({ world, params, body }: FixtureCall): Case {
  const found = world.cases.get(params.id!);
  if (found === undefined) throw new Refusal(404, 'no such case');
  if (body.revision !== found.revision)
    throw new Refusal(409, 'Somebody else changed the case in the meantime: look again, then decide.');
  return found;
}

/** Moves a case on, or closes it. */
export function changeState(call: FixtureCall): Case {
  const { state: from } = checked(call);
  const to = call.body.state as CaseState;
  const verdict = call.body.verdict as Case['verdict'];
  note(call.world, call.params.id!, call.by, { kind: 'state', from, to, ...(verdict ? { verdict } : {}) });
  return change(call.world, call.params.id!, {
    state: to,
    ...(to === 'closed' ? { verdict, closed: call.world.now() } : {}),
  });
}

/** Gives a case to somebody, or to nobody. */
export function changeOwner(call: FixtureCall): Case {
  checked(call);
  const to = call.body.owner as string | undefined;
  note(call.world, call.params.id!, call.by, { kind: 'owner', to });
  return change(call.world, call.params.id!, { owner: to });
}

/** The policy of the fixture: these wait for a second person in a case. */
export function needsTwo({ measure }: OrderWish): boolean {
  return measure === 'quarantine' || measure === 'rollback';
}

/** A measure beside any case; what takes two persons waits in the first one that is open. */
export function order(world: World, wish: OrderWish, by: string): unknown {
  if (!needsTwo(wish)) return give(world, wish, by);
  const open = [...world.cases.values()].find(({ state }) => state === 'open');
  return act(world, open!.id, wish, by);
}

/** Does what is wished for, or asks for a second person. */
export function act(world: World, id: string, wish: OrderWish, by: string): unknown {
  if (needsTwo(wish)) {
    const ask = `ask-${hex(world.rng, 4)}`;
    return { asked: ask, case: note(world, id, by, { kind: 'asked', act: ask, needs: 'approval', wish }) };
  }
  const order = give(world, { ...wish, case: id }, by);
  return { order, case: world.cases.get(id) };
}

/** Puts a measure in force; it contains its case. */
export function give(world: World, wish: OrderWish, by: string): Order {
  const order: Order = { ...wish, id: `order-${hex(world.rng, 4)}`, by, at: world.now() };
  world.orders.unshift(order);
  world.publish({ kind: 'order', order });
  if (wish.case !== undefined) {
    note(world, wish.case, by, {
      kind: 'measure',
      order: order.id,
      measure: order.measure,
      about: Object.values(order.target).join(', '),
    });
    const found = world.cases.get(wish.case)!;
    if (found.state === 'open' || found.state === 'working')
      change(world, wish.case, { state: 'contained', containedAfter: world.now() - found.first });
  }
  return order;
}

/** Lifts a measure. */
export function lift(world: World, id: string, by: string): Order {
  const at = world.orders.findIndex((order) => order.id === id && order.ended === undefined);
  if (at < 0) throw new Refusal(404, 'no such measure in force');
  const order = { ...world.orders[at]!, ended: world.now(), endedBy: by };
  world.orders[at] = order;
  world.publish({ kind: 'order', order });
  if (order.case !== undefined)
    note(world, order.case, by, {
      kind: 'lifted',
      order: id,
      measure: order.measure,
      about: Object.values(order.target).join(', '),
    });
  return order;
}

/** Answers what was asked for; the second person is another one. */
export function decide({ world, params, body, by }: FixtureCall, kind: 'approved' | 'declined'): Case {
  const asked = world.events.find(({ what }) => what.kind === 'asked' && what.act === body.act);
  if (asked?.what.kind !== 'asked') throw new Refusal(404, 'nobody asked for this');
  if (kind === 'approved' && asked.by === by)
    throw new Refusal(403, 'Whoever asked cannot be the second person.');
  note(world, params.id!, by, { kind, act: String(body.act) });
  if (kind === 'approved' && asked.what.wish) give(world, { ...asked.what.wish, case: params.id! }, by);
  return world.cases.get(params.id!)!;
}

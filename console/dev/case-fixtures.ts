import type {
  CaseDetail,
  CaseOpening,
  Impact,
  ImpactScope,
  OpenedCase,
  Suggestion,
} from '../../src/gateway/console/api.ts';
import type { Case, CaseEvent, CaseState } from '../../src/incident/case.ts';
import type { Order, OrderWish } from '../../src/incident/order.ts';
import { type Fixture, type FixtureCall, type Plain, Refusal } from './fixture-server.ts';
import { paged } from './paging.ts';
import { hex, type World } from './world.ts';

const DAY = 86_400_000;

/** Cases, measures, alarms and impact. */
export const caseFixtures: readonly Fixture[] = [
  { method: 'GET', path: '/api/cases', run: ({ world, query }) => paged(casesOf(world, query), query) },
  { method: 'POST', path: '/api/cases', run: openCase },
  { method: 'GET', path: '/api/cases/:id', run: ({ world, params }) => detailOf(world, params.id!) },
  {
    method: 'GET',
    path: '/api/alarms',
    run: ({ world, query }) =>
      paged(
        world.alarms.filter(({ model }) => query.model === undefined || model === query.model),
        query,
      ),
  },
  { method: 'GET', path: '/api/orders', run: ({ world, query }) => paged(world.orders, query) },
  {
    method: 'POST',
    path: '/api/cases/:id/act',
    run: ({ world, params, body, by }) => act(world, params.id!, body.wish as OrderWish, by),
  },
  { method: 'POST', path: '/api/cases/:id/state', run: changeState },
  { method: 'POST', path: '/api/cases/:id/owner', run: changeOwner },
  {
    method: 'POST',
    path: '/api/cases/:id/bundle',
    run: ({ world, params, by }) =>
      note(world, params.id!, by, { kind: 'bundle', digest: `sha256:${hex(world.rng, 32)}` }),
  },
  {
    method: 'GET',
    path: '/api/cases/:id/bundle',
    run: (): Plain => ({ plain: 'bundle', type: 'application/zip' }),
  },
  {
    method: 'POST',
    path: '/api/cases/:id/lift',
    run: ({ world, params, body, by }) => ({
      done: true,
      order: lift(world, String(body.order), by),
      case: world.cases.get(params.id!),
    }),
  },
  {
    method: 'POST',
    path: '/api/cases/:id/comment',
    run: ({ world, params, body, by }) =>
      note(world, params.id!, by, { kind: 'comment', text: String(body.text) }),
  },
  { method: 'POST', path: '/api/cases/:id/approve', run: (call) => decide(call, 'approved') },
  { method: 'POST', path: '/api/cases/:id/decline', run: (call) => decide(call, 'declined') },
  {
    method: 'POST',
    path: '/api/orders',
    run: ({ world, body, by }) => give(world, body.wish as OrderWish, by),
  },
  {
    method: 'POST',
    path: '/api/orders/:id/lift',
    run: ({ world, params, by }) => lift(world, params.id!, by),
  },
  {
    method: 'POST',
    path: '/api/cases/:id/impact',
    run: ({ world, params, body }) => impactOf(world, params.id!, body as never),
  },
  { method: 'GET', path: '/api/impacts/:id', run: ({ world, params }) => world.impacts.get(params.id!) },
  {
    method: 'GET',
    path: '/api/impacts/:id/bundle',
    run: (): Plain => ({ plain: 'bundle', type: 'application/zip' }),
  },
];

function casesOf(
  world: World,
  { state, kind, find = '' }: Readonly<Record<string, string>>,
): readonly Case[] {
  return [...world.cases.values()]
    .filter((each) => state === undefined || state.split(',').includes(each.state))
    .filter((each) => kind === undefined || each.kind === kind)
    .filter((each) =>
      `${each.id} ${each.title} ${each.principals.join(' ')}`.toLowerCase().includes(find.toLowerCase()),
    )
    .sort((a, b) => b.updated - a.updated);
}

/** A case by hand; the open one about the same client and model where there is one. */
function openCase({ world, body, by }: FixtureCall): OpenedCase {
  const wish = body as unknown as CaseOpening;
  const principals = wish.principals ?? [];
  const same = [...world.cases.values()].find(
    (each) =>
      each.state !== 'closed' &&
      principals.length > 0 &&
      principals.every((name) => each.principals.includes(name)),
  );
  const now = world.now();
  const made: Case = same ?? {
    ...{ id: `C-2026-00${world.cases.size + 12}`, title: wish.title, kind: wish.kind },
    ...{ severity: wish.severity ?? 'medium', state: 'open', opened: now, updated: now },
    ...{ first: wish.first ?? now, last: wish.last ?? now, queries: wish.decisions?.length ?? 0, alarms: 1 },
    ...{ models: wish.model === undefined ? [] : [wish.model], principals, atlas: [], revision: 1 },
  };
  world.cases.set(made.id, made);
  note(world, made.id, by, { kind: 'comment', text: wish.why ?? wish.title });
  world.publish({ kind: 'case', case: made });
  return { ...made, isNew: same === undefined };
}

function detailOf(world: World, id: string): CaseDetail | undefined {
  const found = world.cases.get(id);
  if (found === undefined) return undefined;
  const events = world.events.filter((event) => event.case === id).sort((a, b) => a.at - b.at);
  return {
    case: found,
    events,
    alarms: events.flatMap(({ what }) => (what.kind === 'alarm' ? [what.alarm] : [])),
    orders: world.orders.filter((order) => order.case === id),
    suggestions: suggestionsOf(world, found),
    decisions: world.decisions
      .filter(
        ({ guard, principal }) =>
          guard !== undefined &&
          (found.principals.length === 0 || found.principals.includes(principal ?? '')),
      )
      .slice(0, 12),
  };
}

function suggestionsOf(
  world: World,
  { id, kind, state, principals, title, models }: Case,
): readonly Suggestion[] {
  if (state === 'closed') return [];
  const until = world.now() + DAY;
  const of = (
    measure: OrderWish['measure'],
    target: OrderWish['target'],
    rest: Partial<OrderWish> = {},
  ): OrderWish => ({ measure, target, because: title, case: id, until, ...rest });
  const inForce = (wish: OrderWish) =>
    world.orders.some(
      (order) =>
        order.ended === undefined &&
        order.measure === wish.measure &&
        JSON.stringify(order.target) === JSON.stringify(wish.target),
    );
  const all: readonly Suggestion[] =
    kind === 'attack'
      ? principals.slice(0, 3).flatMap((principal) => [
          {
            title: `Answers to ${principal} hold the class alone`,
            why: 'Who gets labels alone needs many times as many questions to copy or to fool a model, and honest use goes on.',
            wish: of('degrade', { principal }, { detail: 'label' }),
            needsApproval: false,
          },
          {
            title: `${principal} may ask 30 times a minute`,
            why: 'It gains time to look: what needs thousands of questions takes days.',
            wish: of('throttle', { principal }, { perMinute: 30 }),
            needsApproval: false,
          },
          {
            title: `${principal} gets no answers`,
            why: 'It stops at once. If it was a good client, it stops, too.',
            wish: of('quarantine', { principal }),
            needsApproval: true,
          },
        ])
      : [
          {
            title: `The verifying model answers for ${models[0]}`,
            why: 'It was trained on other data: what confuses one seldom confuses both.',
            wish: of('verify', { model: models[0]! }),
            needsApproval: false,
          },
          {
            title: `${models[0]} goes back to the version before`,
            why: 'The change came after a new version.',
            wish: of('rollback', { model: models[0]! }),
            needsApproval: true,
          },
        ];
  return all.filter(({ wish }) => !inForce(wish));
}

function change(world: World, id: string, given: Partial<Case>): Case {
  const before = world.cases.get(id);
  if (before === undefined) throw new Refusal(404, 'no such case');
  const after = { ...before, ...given, updated: world.now(), revision: before.revision + 1 };
  world.cases.set(id, after);
  world.publish({ kind: 'case', case: after });
  return after;
}

function note(world: World, id: string, by: string, what: CaseEvent['what']): Case {
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

function checked({ world, params, body }: FixtureCall): Case {
  const found = world.cases.get(params.id!);
  if (found === undefined) throw new Refusal(404, 'no such case');
  if (body.revision !== found.revision)
    throw new Refusal(409, 'Somebody else changed the case in the meantime: look again, then decide.');
  return found;
}

function changeState(call: FixtureCall): Case {
  const { state: from } = checked(call);
  const to = call.body.state as CaseState;
  const verdict = call.body.verdict as Case['verdict'];
  note(call.world, call.params.id!, call.by, { kind: 'state', from, to, ...(verdict ? { verdict } : {}) });
  return change(call.world, call.params.id!, {
    state: to,
    ...(to === 'closed' ? { verdict, closed: call.world.now() } : {}),
  });
}

function changeOwner(call: FixtureCall): Case {
  checked(call);
  const to = call.body.owner as string | undefined;
  note(call.world, call.params.id!, call.by, { kind: 'owner', to });
  return change(call.world, call.params.id!, { owner: to });
}

function act(world: World, id: string, wish: OrderWish, by: string): unknown {
  if (wish.measure === 'quarantine' || wish.measure === 'rollback') {
    const ask = `ask-${hex(world.rng, 4)}`;
    return {
      done: false,
      act: ask,
      case: note(world, id, by, { kind: 'asked', act: ask, needs: 'approval', wish }),
    };
  }
  const order = give(world, { ...wish, case: id }, by);
  return { done: true, order, case: world.cases.get(id) };
}

function give(world: World, wish: OrderWish, by: string): Order {
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

function lift(world: World, id: string, by: string): Order {
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

function decide({ world, params, body, by }: FixtureCall, kind: 'approved' | 'declined'): Case {
  const asked = world.events.find(({ what }) => what.kind === 'asked' && what.act === body.act);
  if (asked?.what.kind !== 'asked') throw new Refusal(404, 'nobody asked for this');
  if (kind === 'approved' && asked.by === by)
    throw new Refusal(403, 'Whoever asked cannot be the second person.');
  note(world, params.id!, by, { kind, act: String(body.act) });
  if (kind === 'approved' && asked.what.wish) give(world, { ...asked.what.wish, case: params.id! }, by);
  return world.cases.get(params.id!)!;
}

/** Begins at a third and is done at the third look. */
function impactOf(
  world: World,
  id: string,
  { scope, against }: { readonly scope: ImpactScope; readonly against?: string },
): Impact {
  const rows = world.decisions
    .filter(({ principal }) => scope.principal === undefined || principal === scope.principal)
    .slice(0, 60);
  const done: Impact = {
    id: `I-${hex(world.rng, 4)}`,
    state: 'running',
    scope,
    against,
    looked: 61_000,
    affected: 3100,
    replayed: 0,
    different: 0,
    principals: [],
    rows: [],
  };
  world.impacts.set(done.id, done);
  setTimeout(() => {
    world.impacts.set(done.id, {
      ...done,
      state: 'done',
      looked: 184_233,
      affected: 9640,
      replayed: against === undefined ? 0 : 9640,
      different: against === undefined ? 0 : 118,
      principals: world.clients.slice(2, 9).map(({ principal }, i) => ({
        principal,
        decisions: Math.round(9000 / (i + 1)),
        different: 100 - i * 12,
      })),
      rows: rows.map((row, i) => ({
        ...row,
        ...(against !== undefined && i % 4 === 0 && row.top
          ? { now: row.top.map(([label]) => [(label + 3) % 10, 0.7] as const) }
          : {}),
      })),
      bundle: { digest: `sha256:${hex(world.rng, 32)}`, bytes: 1_840_221 },
    });
    note(world, id, 'glacis', {
      kind: 'impact',
      decisions: 9640,
      ...(against === undefined ? {} : { different: 118 }),
    });
  }, 700);
  return done;
}

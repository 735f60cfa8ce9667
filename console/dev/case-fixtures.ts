import type { CaseDetail, CaseOpening, OpenedCase } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import type { OrderWish } from '../../src/incident/order.ts';
import { act, changeOwner, changeState, decide, lift, note } from './case-changes.ts';
import { suggestionsOf } from './case-suggestions.ts';
import type { Fixture, FixtureCall, Plain } from './fixture-server.ts';
import { paged } from './paging.ts';
import { hex, type World } from './world.ts';

/** Cases, measures and alarms. */
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

import type { Impact, ImpactScope } from '../../src/gateway/console/api.ts';
import { note } from './case-changes.ts';
import type { Fixture, Plain } from './fixture-server.ts';
import { hex, type World } from './world.ts';

/** What was affected, and the evidence of it. */
export const impactFixtures: readonly Fixture[] = [
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

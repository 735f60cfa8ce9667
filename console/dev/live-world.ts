import { randomFrom } from '../../src/core/random.ts';
import { clientsOf, decisionOf, decisionsOf, type World } from './world.ts';
import { alertsAt } from './world-alerts.ts';
import { toldAt } from './world-cases.ts';
import { monitorsAt } from './world-monitors.ts';

/** A world as it is at the beginning; with `empty` that of a gateway that has just begun. */
export function worldOf({
  seed,
  empty,
  now,
  publish,
}: {
  seed: number;
  empty: boolean;
  now: () => number;
  publish: World['publish'];
}): World {
  const rng = randomFrom(seed, 'world');
  const at = now();
  const clients = empty ? [] : clientsOf(rng, at);
  const decisions = empty ? [] : decisionsOf(rng, at, clients);
  const told = toldAt(
    at,
    decisions.filter(({ guard }) => guard !== undefined).map(({ id }) => id),
  );
  const alerts = alertsAt(at);
  return {
    started: at - 9 * 86_400_000,
    rng,
    now,
    clients,
    decisions,
    cases: new Map(empty ? [] : told.cases.map((each) => [each.id, each])),
    events: empty ? [] : [...told.events],
    alarms: empty ? [] : [...told.alarms],
    orders: empty ? [] : [...told.orders],
    monitors: empty ? [] : monitorsAt(at, rng),
    impacts: new Map(),
    channels: empty ? [] : alerts.channels,
    outbox: empty ? [] : alerts.outbox,
    service: new Map(
      empty
        ? []
        : [
            ['traffic-signs', { use: '3', canary: { version: '4', share: 0.05 } }],
            ['digits', { use: '1' }],
            ['credit', { use: '1' }],
          ],
    ),
    publish,
    isEmpty: empty,
  };
}

/** A second of traffic, told to who looks. */
export function tick(world: World): void {
  const { rng, clients, decisions } = world;
  const at = world.now();
  const answered = 22 + rng.integer(14);
  const wave = 4 + Math.sin(at / 9000);
  world.publish({
    kind: 'traffic',
    at,
    answered,
    refused: rng.integer(4),
    flagged: rng.integer(3),
    p50: wave,
    p99: wave * (3 + rng.uniform()),
    models: { 'traffic-signs': answered - 8, digits: 5, credit: 3 },
  });
  const row = decisionOf(rng, at, (decisions[0]?.entry ?? 0) + 1, clients);
  decisions.unshift(row);
  decisions.length = Math.min(decisions.length, 2000);
  world.publish({ kind: 'decision', row });
}

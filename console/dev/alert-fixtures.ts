import type { AlertRow } from '../../src/gateway/console/api.ts';
import type { Fixture } from './fixture-server.ts';
import { paged } from './paging.ts';
import { hex } from './world.ts';

/** Channels, what was sent, and the test. */
export const alertFixtures: readonly Fixture[] = [
  { method: 'GET', path: '/api/alerts', run: ({ world }) => ({ channels: world.channels }) },
  {
    method: 'GET',
    path: '/api/alerts/outbox',
    run: ({ world, query }) =>
      paged(
        world.outbox.filter(
          (row) =>
            (query.channel === undefined || row.channel === query.channel) &&
            (query.state === undefined || row.state === query.state),
        ),
        query,
      ),
  },
  {
    method: 'POST',
    path: '/api/alerts/outbox/:id/again',
    run({ world, params }): AlertRow | undefined {
      const i = world.outbox.findIndex(({ id, state }) => id === params.id && state === 'given-up');
      if (i < 0) return undefined;
      const { because: _, ...row } = world.outbox[i]!;
      world.outbox[i] = { ...row, state: 'sent', tries: row.tries + 1, sent: world.now() };
      return world.outbox[i];
    },
  },
  {
    method: 'POST',
    path: '/api/alerts/:channel/test',
    run({ world, params }): AlertRow | undefined {
      const channel = world.channels.find(({ name }) => name === params.channel);
      if (channel === undefined) return undefined;
      const bad = channel.because !== undefined;
      const at = world.now();
      const row: AlertRow = {
        id: hex(world.rng, 8),
        at,
        channel: channel.name,
        title: 'A test from the console',
        severity: 'low',
        state: bad ? 'waiting' : 'sent',
        tries: 1,
        ...(bad ? { because: channel.because, next: at + 60_000 } : { sent: at }),
      };
      world.outbox.unshift(row);
      return row;
    },
  },
];

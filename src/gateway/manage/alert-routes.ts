import { z } from 'zod';
import type { Alerts } from '../../incident/alerts/open-alerts.ts';
import type { AlertRow, AlertsView, Page } from '../console/api.ts';
import { type ManagementRoute, route } from './route.ts';

const STATES = ['waiting', 'sent', 'given-up'] as const;

/** Who is told of cases, what is on its way to them, and a button that tries it. */
export function alertRoutes(alerts: Alerts): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/alerts',
      about: 'Where alerts are sent, and how each receiver stands.',
      action: 'incident.read',
      async run() {
        const view: AlertsView = { channels: await alerts.channels() };
        return { json: view };
      },
    }),
    route({
      method: 'GET',
      path: '/api/alerts/outbox',
      about: 'Messages, the newest first; ?channel=, ?state=, ?before=, ?most=.',
      action: 'incident.read',
      async run({ query }) {
        const { channel, state, before, most } = query;
        const page: Page<AlertRow> = await alerts.outbox({
          channel,
          state: STATES.find((each) => each === state),
          before: wholeOf(before),
          most: wholeOf(most),
        });
        return { json: page };
      },
    }),
    route({
      method: 'POST',
      path: '/api/alerts/:channel/test',
      about: 'A message to one receiver, on the way that all of them go; gives how it went.',
      action: 'alerts.send',
      event: 'alert-tested',
      body: z.strictObject({}),
      run: async ({ params, by }) => ({ json: await alerts.test(params.channel!, by.id) }),
    }),
    route({
      method: 'POST',
      path: '/api/alerts/outbox/:id/again',
      about: 'Tries once more what was given up.',
      action: 'alerts.send',
      event: 'alert-sent-again',
      body: z.strictObject({}),
      run: async ({ params }) => ({ json: await alerts.again(params.id!) }),
    }),
  ];
}

function wholeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,17}$/.test(text) ? Number(text) : undefined;
}

import type { Channel, Transmit } from '../channel.ts';
import type { AlertAction } from '../message.ts';
import { headline, lines, plain } from '../plain.ts';
import { type HttpPlace, overHttp } from './over-http.ts';

const ACTIONS = {
  trigger: 'trigger',
  update: 'trigger',
  acknowledge: 'acknowledge',
  resolve: 'resolve',
  test: 'trigger',
} as const satisfies Readonly<Record<AlertAction, string>>;
const SEVERITIES = { critical: 'critical', high: 'error', medium: 'warning', low: 'info' } as const;

/**
 * Events of PagerDuty's Events API v2, and of what is compatible with it: a case is one incident there (its id is the `dedup_key`), which begins, is acknowledged and ends with it.
 */
export function pagerduty(place: HttpPlace, routingKey: string, transmit: Transmit): Channel {
  return overHttp(place, transmit, ({ id, message, at }) => {
    const { case: about } = message;
    const event = {
      routing_key: routingKey,
      event_action: ACTIONS[message.action],
      dedup_key: `glacis-${plain(about.id, 200)}`,
      client: 'Glacis',
      client_url: message.link,
      payload: {
        summary: headline(message, 900),
        source: plain(about.models[0] ?? 'glacis', 200),
        severity: SEVERITIES[about.severity],
        timestamp: new Date(at).toISOString(),
        component: plain(about.models[0] ?? 'glacis', 200),
        group: 'models',
        class: about.kind,
        custom_details: {
          message: id,
          details: lines(message).join('\n').trim(),
          callers: about.principals.map((name) => plain(name, 100)),
          atlas: about.atlas,
        },
      },
      links: [{ href: message.link, text: 'The case in the console' }],
    };
    return { body: JSON.stringify(event), headers: {} };
  });
}

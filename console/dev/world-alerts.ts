import type { AlertRow, AlertsView } from '../../src/gateway/console/api.ts';
import { HOSTILE } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Where alarms go, and what was sent. */
export function alertsAt(now: number): {
  readonly channels: AlertsView['channels'][number][];
  readonly outbox: AlertRow[];
} {
  return {
    channels: [
      {
        name: 'on-call',
        kind: 'pagerduty',
        to: 'events.pagerduty.example',
        least: 'high',
        waiting: 0,
        sent: 12,
        lastSent: now - 6 * MINUTE,
      },
      {
        name: 'team',
        kind: 'slack',
        to: 'hooks.slack.example',
        least: 'medium',
        quiet: '22:00–07:00 Europe/Berlin, critical comes through',
        waiting: 0,
        sent: 40,
        lastSent: now - 6 * MINUTE,
      },
      {
        name: 'siem',
        kind: 'ocsf',
        to: 'siem.internal.example',
        least: 'low',
        waiting: 17,
        sent: 301,
        lastSent: now - 3 * HOUR,
        because: 'the receiver does not answer (ECONNREFUSED); next try in 4 min',
      },
      {
        name: 'mail',
        kind: 'email',
        to: 'security@example.org',
        least: 'critical',
        waiting: 0,
        sent: 2,
        lastSent: now - 6 * MINUTE,
      },
    ],
    outbox: [
      {
        id: 'm1',
        at: now - 6 * MINUTE,
        channel: 'on-call',
        title: 'Three keys of the tenant trial walk along the same boundary',
        severity: 'critical',
        case: 'C-2026-0012',
        state: 'sent',
        tries: 1,
        sent: now - 6 * MINUTE + 400,
      },
      {
        id: 'm2',
        at: now - 6 * MINUTE,
        channel: 'siem',
        title: 'Three keys of the tenant trial walk along the same boundary',
        severity: 'critical',
        case: 'C-2026-0012',
        state: 'waiting',
        tries: 3,
        next: now + 4 * MINUTE,
        because: 'ECONNREFUSED',
      },
      {
        id: 'm3',
        at: now - 50 * MINUTE,
        channel: 'siem',
        title: `${HOSTILE.script} asks a little more each day`,
        severity: 'low',
        case: 'C-2026-0011',
        state: 'waiting',
        tries: 9,
        next: now + 4 * MINUTE,
        because: 'ECONNREFUSED',
      },
      {
        id: 'm4',
        at: now - 3 * HOUR,
        channel: 'team',
        title: 'mallory-labs is copying traffic-signs',
        severity: 'high',
        case: 'C-2026-0010',
        state: 'sent',
        tries: 2,
        sent: now - 3 * HOUR + 30_000,
      },
      {
        id: 'm5',
        at: now - 30 * HOUR,
        channel: 'siem',
        title: 'credit answered late for 4 minutes',
        severity: 'low',
        case: 'C-2026-0008',
        state: 'given-up',
        tries: 40,
        because: 'no answer for 24 hours',
      },
    ],
  };
}

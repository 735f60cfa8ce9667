import type { AlarmSeverity } from '../../../monitor/alarm.ts';

/** `GET /api/alerts`: where alarms are sent. `POST /api/alerts/:channel/test {}` takes the real way and gives the {@link AlertRow}. */
export interface AlertsView {
  readonly channels: readonly {
    readonly name: string;
    readonly kind: 'webhook' | 'email' | 'slack' | 'pagerduty' | 'ocsf' | 'cloudevents';
    /** Host or address, without a secret. */
    readonly to: string;
    /** What it is told of: this severity and worse. */
    readonly least: AlarmSeverity;
    readonly quiet?: string | undefined;
    /** Messages that wait for the receiver. */
    readonly waiting: number;
    readonly sent: number;
    readonly lastSent?: number | undefined;
    /** Why the last try failed; undefined where it did not. */
    readonly because?: string | undefined;
  }[];
}

/** A row of `GET /api/alerts/outbox?channel=&state=&before=&most=`: `Page<AlertRow>`. */
export type { ShownAlert as AlertRow } from '../../../incident/alerts/show.ts';

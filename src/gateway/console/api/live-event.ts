import type { Case } from '../../../incident/case.ts';
import type { Order } from '../../../incident/order.ts';
import type { Alarm } from '../../../monitor/alarm.ts';
import type { DecisionRow } from './decisions.ts';

/** `GET /api/events` is a stream of server-sent events; `data` is JSON of one of these. */
export type LiveEvent =
  | {
      readonly kind: 'traffic';
      readonly at: number;
      readonly answered: number;
      readonly refused: number;
      readonly flagged: number;
      readonly p50: number | undefined;
      readonly p99: number | undefined;
      readonly models: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'decision'; readonly row: DecisionRow }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'case'; readonly case: Case }
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'models' | 'reviews' | 'policy' | 'keys' }
  | { readonly kind: 'signed-out' };

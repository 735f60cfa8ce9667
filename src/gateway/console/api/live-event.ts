import type { Case } from '../../../incident/case.ts';
import type { Order } from '../../../incident/order.ts';
import type { Alarm } from '../../../monitor/alarm.ts';
import type { Second } from '../../observe/rollups/traffic-counter.ts';
import type { DecisionRow } from './decisions.ts';

/** `GET /api/events` is a stream of server-sent events; `data` is JSON of one of these. */
export type LiveEvent =
  | ({ readonly kind: 'traffic' } & Second)
  | { readonly kind: 'decision'; readonly row: DecisionRow }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'case'; readonly case: Case }
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'models' | 'reviews' | 'policy' | 'keys' }
  | { readonly kind: 'signed-out' };

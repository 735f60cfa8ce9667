import type { Case } from '../../../incident/case.ts';
import type { Order } from '../../../incident/order.ts';
import type { ModelStatus } from '../../backend/model-status.ts';
import type { Totals } from './traffic.ts';

/** `GET /api/overview` */
export interface Overview {
  readonly now: number;
  readonly since: number;
  readonly health: readonly { readonly part: string; readonly ok: boolean; readonly because?: string }[];
  readonly models: readonly (ModelStatus & {
    readonly perSecond: number;
    readonly p99: number | undefined;
    readonly alarmed: boolean;
  })[];
  /** The last hour and the hour before it. */
  readonly hour: Totals;
  readonly before: Totals;
  readonly cases: readonly Case[];
  readonly orders: readonly Order[];
  readonly reviews: number;
  /** The last 24 hours, for a line: requests and refusals a step. */
  readonly day: readonly (readonly [at: number, answered: number, refused: number])[];
  /** Entries of the log, and the newest signed state of it. */
  readonly log: { readonly size: number; readonly at: number; readonly root: string };
}

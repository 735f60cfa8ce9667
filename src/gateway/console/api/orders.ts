import type { Order } from '../../../incident/order.ts';
import type { AskedAct } from '../../manage/ask-in-case.ts';

/**
 * `POST /api/orders {wish}` and `POST /api/orders/:id/lift`: the measure (201, 200), or, where the policy wants two persons, what waits for the second one and the case where that is
 * approved (202). `POST /api/cases/:id/act`, `…/lift` and `…/approve` answer `{order, case}`, or the same 202.
 */
export type OrderAnswer = Order | AskedAct;

/** `POST /api/orders/preview {wish}`: what would come of a measure. Nothing is done, and nothing is written down. */
export interface OrderPreview {
  /** Why it cannot be taken now; undefined where it can. */
  readonly against?: string | undefined;
  /** Whether it waits for a second person. */
  readonly needsApproval: boolean;
  /** A measure in force that does the same to the same. */
  readonly inForce?: Order | undefined;
  /**
   * Calls of the last 24 hours that it would have met, as far as the newest of them tell. Undefined where that is not known: for keys and addresses, which lists of calls do not hold, for
   * `freeze`, and for people who may not read the log.
   */
  readonly calls?:
    | {
        readonly n: number;
        /** More were met than are counted. */
        readonly more: boolean;
        /** Whose they were. */
        readonly principals: readonly string[];
        /** When the last one was. */
        readonly last?: number | undefined;
      }
    | undefined;
}

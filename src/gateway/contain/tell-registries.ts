import { GlacisError } from '../../core/error.ts';
import type { Order } from '../../incident/order.ts';
import type { Event } from '../decision.ts';
import type { FreezeRegistries } from './freeze-registries.ts';

/** What telling registries stands on. */
export interface TellerSurroundings {
  readonly record: (event: Event) => Promise<unknown>;
  readonly now: () => number;
  readonly failed: (where: string, thrown: unknown) => void;
  readonly freezeRegistries?: FreezeRegistries | undefined;
}

/**
 * Tells registries of a freeze, or of its end; what they said is in the log. A freeze that does not reach them holds for the gateways of the store all the same. Does
 * nothing for other measures. Errors: `output/unwritable`.
 */
export function registryTeller({ record, now, failed, freezeRegistries }: TellerSurroundings) {
  return async (order: Order, frozen: boolean, by: string): Promise<void> => {
    if (order.measure !== 'freeze' || freezeRegistries === undefined) return;
    const reason = `${frozen ? '' : 'no longer: '}${order.because} (order ${order.id} of ${by})`;
    for (const { registry, outcome } of await freezeRegistries(frozen, reason)) {
      const why = typeof outcome === 'string' ? undefined : outcome.failed;
      if (why !== undefined) failed(`order ${order.id}`, new GlacisError('registry/storage', why));
      const reached = frozen ? 'registry-frozen' : 'registry-thawed';
      await record({
        kind: 'event',
        at: now(),
        event: why === undefined ? reached : 'registry-not-reached',
        by,
        about: { order: order.id, registry, waits: outcome === 'waits', ...(why !== undefined && { why }) },
      });
    }
  };
}

import type { Incidents } from '../../incident/open-incidents.ts';
import type { OrderWish } from '../../incident/order.ts';
import { checkWish, isSameWish } from '../../incident/wish.ts';
import type { OrderPreview } from '../console/api.ts';
import type { OpenLiveLog } from '../record/live/open-live-log.ts';
import type { Veil } from './veil.ts';

const DAY = 86_400_000;
/** Calls that are counted. */
const MOST_CALLS = 200;
/** Of whose names are told. */
const MOST_NAMES = 20;

/** What a preview looks at. */
export interface PreviewParts {
  readonly incidents: Pick<Incidents, 'needsApproval' | 'overseen'>;
  readonly live: Pick<OpenLiveLog, 'page'>;
  readonly now: () => number;
  readonly veil: Veil | undefined;
}

/** What would come of a measure. `may`: what who asks may do; without `log.read` no calls are looked at, and without `log.payload` a sealed log names nobody. */
export async function previewOf(
  wish: OrderWish,
  may: (action: string) => boolean,
  { incidents, live, now, veil }: PreviewParts,
): Promise<OrderPreview> {
  const { overseen } = incidents;
  const { principal, tenant, credential, address, model } = wish.target;
  const reveal = may('log.payload');
  const isLookedUp = wish.measure !== 'freeze' && credential === undefined && address === undefined;
  // A sealed log is only searched by name for those who may open it.
  const isOpen = veil === undefined || reveal || (principal === undefined && tenant === undefined);
  const page =
    isLookedUp && isOpen && may('log.read')
      ? await live
          .page({ principal, tenant, model, from: now() - DAY, most: MOST_CALLS }, reveal)
          .catch(() => undefined)
      : undefined;
  const names = new Set(page?.rows.flatMap((row) => row.principal ?? []));
  return {
    against: reasonAgainst(wish, now(), overseen),
    needsApproval: incidents.needsApproval(wish),
    inForce: overseen.active().find((order) => isSameWish(order, wish)),
    ...(page && {
      calls: {
        n: page.rows.length,
        more: page.next !== undefined,
        principals: [...names].slice(0, MOST_NAMES),
        last: page.rows[0]?.at,
      },
    }),
  };
}

function reasonAgainst(wish: OrderWish, now: number, { against }: Incidents['overseen']): string | undefined {
  try {
    checkWish(wish, now);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return against?.(wish);
}

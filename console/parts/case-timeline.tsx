import type { CaseEvent, CaseState } from '../../src/incident/case.ts';
import type { Order, OrderWish } from '../../src/incident/order.ts';
import { Link, pathTo } from '../shell/router.tsx';
import { Digest } from './digest.tsx';
import { count, counted, titled, worded } from './format.ts';
import { MeasureSentence } from './measure-words.tsx';
import { Text } from './text.tsx';
import { type Moment, Timeline } from './timeline.tsx';

/** Where a monitor's name stands in what a person opened. */
export const BY_HAND = 'person';

/** What happened in a case, in order, each with its entry in the ledger. */
export function CaseTimeline({
  events,
  orders,
}: {
  readonly events: readonly CaseEvent[];
  readonly orders: readonly Order[];
}) {
  const asks = new Map(
    events.flatMap(({ what }) => (what.kind === 'asked' ? [[what.act, what.wish] as const] : [])),
  );
  return (
    <Timeline
      label="What happened"
      moments={events.map((event) => ({
        id: event.id,
        at: event.at,
        ...momentOf(event, asks, orders),
        ...(event.entry === undefined
          ? {}
          : { side: <Link to={pathTo('ledger', String(event.entry))}>entry {count(event.entry)}</Link> }),
      }))}
    />
  );
}

/** What was asked for and neither agreed to nor declined. */
export function openAsks(events: readonly CaseEvent[]): readonly {
  readonly act: string;
  readonly by: string;
  readonly at: number;
  readonly wish: OrderWish | undefined;
}[] {
  const done = new Set(
    events.flatMap(({ what }) => (what.kind === 'approved' || what.kind === 'declined' ? [what.act] : [])),
  );
  return events.flatMap(({ what, by, at }) =>
    what.kind === 'asked' && !done.has(what.act) ? [{ act: what.act, by, at, wish: what.wish }] : [],
  );
}

/** What somebody did who moved a case on. */
const STATE_ACTS: Readonly<Record<CaseState, string>> = {
  open: 'opened it',
  working: 'works on it',
  contained: 'calls it contained',
  closed: 'closed it',
};

function momentOf(
  { by, what }: CaseEvent,
  asks: ReadonlyMap<string, OrderWish | undefined>,
  orders: readonly Order[],
): Omit<Moment, 'id' | 'at'> {
  const who = by === 'glacis' ? 'Glacis' : <Text of={by} most={30} />;
  switch (what.kind) {
    case 'alarm':
      return {
        icon: 'bolt',
        tone: 'changed',
        title: <Text of={what.alarm.title} most={140} />,
        body:
          what.alarm.monitor === BY_HAND ? (
            <>{who} opened it by hand.</>
          ) : (
            <>
              The monitor <b>{worded(what.alarm.monitor.slice(0, 60))}</b> raised it
              {what.again > 0 && `, and ${counted(what.again, 'more alarm')} like it`}.
            </>
          ),
      };
    case 'state':
      return {
        icon: what.to === 'closed' ? 'done' : 'right',
        tone: what.to === 'contained' || what.to === 'closed' ? 'held' : undefined,
        title: (
          <>
            {who} {STATE_ACTS[what.to]}
            {what.verdict !== undefined && `, ${worded(what.verdict)}`}
          </>
        ),
      };
    case 'owner':
      return {
        icon: 'person',
        title:
          what.to === undefined ? (
            <>{who}: nobody owns it any more</>
          ) : (
            <>
              <Text of={what.to} most={30} /> has it
            </>
          ),
      };
    case 'comment':
      return {
        icon: 'comment',
        title: <>{who} wrote</>,
        body: (
          <p class="said">
            <Text of={what.text} most={4000} lines />
          </p>
        ),
      };
    case 'asked':
      return {
        icon: 'clock',
        tone: 'warn',
        title: <>{who} asked for a second person</>,
        body: what.wish && <MeasureSentence of={what.wish} />,
      };
    case 'approved':
    case 'declined': {
      const wish = asks.get(what.act);
      return {
        icon: what.kind === 'approved' ? 'done' : 'close',
        tone: what.kind === 'approved' ? 'held' : undefined,
        title: (
          <>
            {who} {what.kind === 'approved' ? 'agreed' : 'declined'}
          </>
        ),
        body: wish && <MeasureSentence of={wish} />,
      };
    }
    case 'measure':
      return {
        icon: 'shield',
        tone: 'held',
        title: <Done what={what} orders={orders} />,
        body: <>{who} did it</>,
      };
    case 'lifted':
      return {
        icon: 'shield',
        title: <>{who} lifted a measure</>,
        body: <Done what={what} orders={orders} />,
      };
    case 'impact':
      return {
        icon: 'search',
        title: `${counted(what.decisions, 'decision')} affected`,
        body: what.different !== undefined && `${count(what.different)} of them would be different.`,
      };
    case 'bundle':
      return {
        icon: 'download',
        title: 'A signed bundle of evidence was made',
        body: <Digest of={what.digest} />,
      };
    default:
      return { icon: 'right', title: who };
  }
}

/** What a measure did, in a sentence; where its order is not here any more, as the log has it. */
function Done({
  what,
  orders,
}: {
  readonly what: Extract<CaseEvent['what'], { readonly kind: 'measure' | 'lifted' }>;
  readonly orders: readonly Order[];
}) {
  const order = orders.find(({ id }) => id === what.order);
  if (order !== undefined) return <MeasureSentence of={order} />;
  return (
    <>
      {titled(what.measure)}: <Text of={what.about} most={300} />
    </>
  );
}

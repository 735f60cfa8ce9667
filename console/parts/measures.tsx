import { useId } from 'preact/hooks';
import type { OrderAnswer } from '../../src/gateway/console/api.ts';
import type { Order, OrderWish } from '../../src/incident/order.ts';
import { tell } from '../data/ask.ts';
import { touch } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { confirm } from '../shell/confirm.tsx';
import { Link, pathTo } from '../shell/router.tsx';
import { said } from '../shell/toast.tsx';
import { Button } from './button.tsx';
import { CONSEQUENCES, MEASURE_VERBS, MeasureSentence } from './measure-words.tsx';
import { Text } from './text.tsx';
import { Time } from './time.tsx';

/** Measures in force, each with a way to end it. */
export function Measures({
  orders,
  withCase = true,
}: {
  readonly orders: readonly Order[];
  readonly withCase?: boolean;
}) {
  const mayAct = useMay('incident.act');
  const list = useId();
  return (
    <ul class="measures">
      {orders.map((order) => (
        <li key={order.id} data-row="">
          <div>
            <p class="happened" id={`${list}-${order.id}`}>
              <MeasureSentence of={order} />
            </p>
            <p class="muted small">
              by <Text of={order.by} most={30} /> <Time at={order.at} />
              {order.until !== undefined && (
                <>
                  {' · ends '}
                  <Time at={order.until} />
                </>
              )}
              {withCase && order.case && (
                <>
                  {' · '}
                  <Link to={pathTo('cases', order.case)} class="whole">
                    <Text of={order.case} />
                  </Link>
                </>
              )}
            </p>
          </div>
          {mayAct && (
            <Button small aria-describedby={`${list}-${order.id}`} onPress={() => askAndLift(order)}>
              Lift
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Asks, then gives the measure. True where it was given (or waits for a second person). */
export async function askAndOrder(
  wish: OrderWish,
  { path, needsApproval = false }: { readonly path: string; readonly needsApproval?: boolean },
): Promise<boolean> {
  const reason = await confirm({
    title: <MeasureSentence of={wish} />,
    children: (
      <>
        <p>{CONSEQUENCES[wish.measure]}</p>
        <p>
          {wish.until === undefined ? (
            'It holds until somebody lifts it.'
          ) : (
            <>
              It ends by itself <Time at={wish.until} />, or when somebody lifts it.
            </>
          )}{' '}
          It goes into the log before it is done.
        </p>
        {needsApproval && (
          <p>
            <b>A second person must agree</b> before it happens.
          </p>
        )}
      </>
    ),
    action: needsApproval ? 'Ask for it' : MEASURE_VERBS[wish.measure],
    tone: toneOf(wish),
    reason: { label: 'Why, for the log', required: false },
  });
  if (reason === undefined) return false;
  await send(path, { wish: reason === '' ? wish : { ...wish, because: reason } }, 'Done: it is in force.');
  return true;
}

/** Gives a measure, in its case where it has one. */
export async function give(wish: OrderWish): Promise<void> {
  const path = wish.case === undefined ? '/api/orders' : `/api/cases/${encodeURIComponent(wish.case)}/act`;
  await send(path, { wish }, 'Done: it is in force.');
}

/** How grave the button of a measure looks: those that cut somebody off at once are danger. */
export function toneOf({ measure }: OrderWish): 'danger' | 'main' {
  return ['quarantine', 'pause', 'rollback'].includes(measure) ? 'danger' : 'main';
}

/** Sends an act, and says what became of it: done, or waiting for a second person, in which case. */
async function send(path: string, body: object, done: string): Promise<void> {
  const given = await tell<OrderAnswer | { readonly order: Order }>(path, body);
  touch('/api/cases', '/api/orders', '/api/overview', '/api/clients', '/api/policy');
  said('asked' in given ? `Asked: it waits for a second person, in the case ${given.case.id}.` : done);
}

/** Asks, then ends the measure. */
export async function askAndLift(order: Order): Promise<void> {
  const go = await confirm({
    title: 'Lift this measure?',
    children: (
      <>
        <p>
          In force now: <MeasureSentence of={order} />.
        </p>
        <p>Things are as they were before from then on, on every gateway of the store within a second.</p>
      </>
    ),
    action: 'Lift it',
  });
  if (go === undefined) return;
  // A measure of a case ends by way of the case.
  await (order.case === undefined
    ? send(`/api/orders/${encodeURIComponent(order.id)}/lift`, {}, 'Lifted.')
    : send(`/api/cases/${encodeURIComponent(order.case)}/lift`, { order: order.id }, 'Lifted.'));
}

import { useId } from 'preact/hooks';
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
          {mayAct && order.measure !== 'rollback' && (
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
    tone: ['quarantine', 'pause', 'rollback'].includes(wish.measure) ? 'danger' : 'main',
    reason: { label: 'Why, for the log', required: false },
  });
  if (reason === undefined) return false;
  const given = await tell<{ readonly done?: boolean }>(path, {
    wish: reason === '' ? wish : { ...wish, because: reason },
  });
  touch('/api/cases', '/api/orders', '/api/overview', '/api/clients');
  said(given?.done === false ? 'Asked: it waits for a second person.' : 'Done: it is in force.');
  return true;
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
  // A measure of a case ends by way of the case: the policy may want a second person there, too.
  const given = await (order.case === undefined
    ? tell<{ readonly done?: boolean }>(`/api/orders/${encodeURIComponent(order.id)}/lift`)
    : tell<{ readonly done?: boolean }>(`/api/cases/${encodeURIComponent(order.case)}/lift`, {
        order: order.id,
      }));
  touch('/api/cases', '/api/orders', '/api/overview', '/api/clients');
  said(given?.done === false ? 'Asked: it waits for a second person.' : 'Lifted.');
}

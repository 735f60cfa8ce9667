import type { OrderPreview } from '../../../src/gateway/console/api.ts';
import type { OrderWish } from '../../../src/incident/order.ts';
import { useMay } from '../../data/session.ts';
import { Link, pathTo } from '../../shell/router.tsx';
import { Button } from '../button.tsx';
import { Facts } from '../field.tsx';
import { count, counted } from '../format.ts';
import { CONSEQUENCES, MEASURE_VERBS, MeasureSentence } from '../measure-words.tsx';
import { give, toneOf } from '../measures.tsx';
import { Text } from '../text.tsx';
import { Time } from '../time.tsx';

/** What a measure would do, as the server sees it now, and the button that does it. */
export function Preview({
  wish,
  preview: { against, needsApproval, inForce, calls },
  onBack,
  onDone,
}: {
  readonly wish: OrderWish;
  readonly preview: OrderPreview;
  readonly onBack: () => void;
  readonly onDone: () => void;
}) {
  const mayRead = useMay('log.read');
  const isBlocked = against !== undefined;
  return (
    <div class="stackup">
      <p class="happened">
        <MeasureSentence of={wish} />
      </p>
      <p class="consequences">{CONSEQUENCES[wish.measure]}</p>
      {isBlocked && (
        <p class="problem" role="alert">
          This cannot be done now: <Text of={against} most={300} />
        </p>
      )}
      {inForce !== undefined && (
        <p class="problem-line">
          The same is in force already, by <Text of={inForce.by} most={30} /> <Time at={inForce.at} />. Doing
          it again makes it last longer, at most.
        </p>
      )}
      <Facts
        of={[
          [
            'It would have met',
            wish.measure === 'freeze'
              ? 'no call: it is about promotions'
              : calls === undefined
                ? mayRead
                  ? 'nobody can say: lists of calls hold neither keys nor addresses'
                  : 'calls that you may not read (log.read)'
                : callWords(calls),
          ],
          calls !== undefined &&
            calls.principals.length > 0 && [
              'Of',
              <span key="who">
                {calls.principals.slice(0, 8).map((each, i) => (
                  <span key={each}>
                    {i > 0 && ', '}
                    <Link to={pathTo('traffic', each)}>
                      <Text of={each} most={30} />
                    </Link>
                  </span>
                ))}
                {calls.principals.length > 8 && ` and ${calls.principals.length - 8} more`}
              </span>,
            ],
          calls?.last !== undefined && ['Last call', <Time key="last" at={calls.last} />],
          [
            'It ends',
            wish.until === undefined ? (
              'when somebody lifts it'
            ) : (
              <span key="until">
                by itself <Time at={wish.until} />, or when somebody lifts it
              </span>
            ),
          ],
          ['Second person', needsApproval ? 'must agree before it happens' : 'not needed'],
          wish.case !== undefined && ['Case', <Text key="case" of={wish.case} />],
        ]}
      />
      <p class="muted small">It goes into the log before it is done, and can be lifted again.</p>
      <div class="actions end">
        <Button onPress={onBack}>Back</Button>
        <Button
          tone={toneOf(wish)}
          disabled={isBlocked}
          onPress={async () => {
            await give(wish);
            onDone();
          }}
        >
          {needsApproval ? 'Ask for it' : MEASURE_VERBS[wish.measure]}
        </Button>
      </div>
    </div>
  );
}

function callWords({ n, more }: NonNullable<OrderPreview['calls']>): string {
  if (n === 0) return 'no call of the last 24 hours';
  return `${more ? `more than ${count(n)} calls` : counted(n, 'call')} of the last 24 hours`;
}

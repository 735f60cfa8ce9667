import type { ClientDetail } from '../../src/gateway/console/api.ts';
import type { OrderWish } from '../../src/incident/order.ts';
import { useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Meter } from '../parts/bars.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { CaseRow } from '../parts/case-row.tsx';
import { DecisionTable } from '../parts/decision-table.tsx';
import { Empty } from '../parts/empty.tsx';
import { count, counted, percent, short } from '../parts/format.ts';
import { Loaded } from '../parts/loading.tsx';
import { askAndOrder, Measures } from '../parts/measures.tsx';
import { SeriesChart } from '../parts/series-chart.tsx';
import { Stat, Stats } from '../parts/stat.tsx';
import { TakeMeasure } from '../parts/take-measure/take-measure.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link } from '../shell/router.tsx';
import { OpenCase } from './cases/open-case.tsx';

const DAY = 86_400_000;

/** One client: what it asks, what is left of its budget, what is in force for it, and what can be done. */
export function ClientPage({ id }: { readonly id: string }) {
  const client = useQuery<ClientDetail>(`/api/clients/${encodeURIComponent(id)}`, { every: 15_000 });
  return (
    <>
      <p class="way-back">
        <Link to="/traffic">Traffic</Link>
      </p>
      <Loaded query={client} what="the client" lines={8}>
        {(data) => <Whole of={data} />}
      </Loaded>
    </>
  );
}

function Whole({ of }: { readonly of: ClientDetail }) {
  const mayAct = useMay('incident.act');
  const open = of.cases.filter(({ state }) => state !== 'closed');
  const used = of.budget === undefined ? undefined : of.budget.used / Math.max(1, of.budget.limit);
  const wish = (measure: OrderWish['measure'], rest: Partial<OrderWish> = {}): OrderWish => ({
    measure,
    target: { principal: of.principal },
    because: 'by hand, from the page of the client',
    until: Date.now() + DAY,
    ...rest,
  });
  return (
    <>
      <Opening
        chip={of.orders.length > 0 ? 'Measures in force' : open.length > 0 ? 'In a case' : 'Served'}
        tone={of.orders.length > 0 || open.length > 0 ? 'changed' : 'held'}
        title={<Text of={of.principal} most={60} />}
        side={open.length === 0 && <OpenCase about={{ principals: [of.principal] }} />}
      >
        Of the tenant{' '}
        <b>
          <Text of={of.tenant} most={60} />
        </b>
        , from {counted(of.addresses, 'address', 'addresses')}, first seen <Time at={of.first} />, last{' '}
        <Time at={of.last} />.
      </Opening>
      <Card>
        <Stats>
          <Stat
            value={short(of.requests)}
            title={count(of.requests)}
            what="requests"
            note={counted(of.samples, 'sample')}
          />
          <Stat
            value={percent(of.refused / Math.max(1, of.requests))}
            what="refused"
            note={`${count(of.refused)} requests`}
            tone={of.refused / Math.max(1, of.requests) > 0.1 ? 'changed' : undefined}
          />
          <Stat value={short(of.flagged)} what="flagged" note="by a guard" />
          {of.budget && used !== undefined && (
            <Stat
              value={percent(used)}
              what="of the budget used"
              tone={used > 0.9 ? 'changed' : undefined}
              note={
                of.budget.emptyAt !== undefined && of.budget.emptyAt > Date.now() ? (
                  <>
                    empty <Time at={of.budget.emptyAt} /> at this pace
                  </>
                ) : (
                  `${count(of.budget.used)} of ${count(of.budget.limit)}`
                )
              }
            />
          )}
        </Stats>
        {used !== undefined && (
          <div class="client-budget">
            <Meter
              value={used}
              label="Budget used"
              tone={used > 0.9 ? 'changed' : used > 0.6 ? 'warn' : 'held'}
            />
          </div>
        )}
      </Card>
      <Card title="Samples a day">
        {of.days.length > 1 ? (
          <SeriesChart
            label="Samples a day"
            height={160}
            at={of.days.map(([at]) => at)}
            series={[
              {
                name: 'samples',
                tone: 'held',
                look: 'area',
                values: of.days.map(([, samples]) => samples),
                unit: short,
              },
              {
                name: 'refused requests',
                tone: 'changed',
                values: of.days.map(([, , refused]) => refused),
                unit: short,
              },
            ]}
          />
        ) : (
          <Empty title="Less than two days" icon="clock">
            The course appears when there is more to draw.
          </Empty>
        )}
      </Card>
      <div class="columns">
        <Card title="Cases">
          {of.cases.length === 0 ? (
            <p class="muted">None names this client.</p>
          ) : (
            <ul class="case-list">
              {of.cases.map((each) => (
                <CaseRow key={each.id} of={each} />
              ))}
            </ul>
          )}
        </Card>
        <Card
          title="Measures"
          lead="Each goes into the log before it is done, ends after a day, and can be lifted."
        >
          {of.orders.length > 0 && <Measures orders={of.orders} />}
          {mayAct ? (
            <div class="actions">
              <Button
                onPress={() => askAndOrder(wish('throttle', { perMinute: 30 }), { path: '/api/orders' })}
              >
                Throttle
              </Button>
              <Button
                onPress={() => askAndOrder(wish('degrade', { detail: 'label' }), { path: '/api/orders' })}
              >
                Class alone
              </Button>
              <Button tone="danger" onPress={() => askAndOrder(wish('quarantine'), { path: '/api/orders' })}>
                Quarantine
              </Button>
              <TakeMeasure about={{ name: of.principal }} title="Another measure" />
            </div>
          ) : (
            of.orders.length === 0 && <p class="muted">None in force.</p>
          )}
        </Card>
      </div>
      <Card
        title="Last calls"
        side={<Link to={`/ledger?principal=${encodeURIComponent(of.principal)}`}>All, in the ledger</Link>}
        flush
      >
        {of.decisions.length === 0 ? (
          <Empty title="No call is kept" icon="ledger" />
        ) : (
          <DecisionTable rows={of.decisions} label="Last calls" withClient={false} />
        )}
      </Card>
    </>
  );
}

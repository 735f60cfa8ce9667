import type { ClientRow } from '../../../src/gateway/console/api.ts';
import type { Measure } from '../../../src/incident/order.ts';
import { pathOf, useRows } from '../../data/query.ts';
import { Badge } from '../../parts/badge.tsx';
import { Meter } from '../../parts/bars.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Filters, Search } from '../../parts/field.tsx';
import { count, percent, short } from '../../parts/format.ts';
import { PagedTable } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { Link, pathTo, setQuery } from '../../shell/router.tsx';

/** Who asks, page by page. */
export function Clients({ query, model }: { readonly query: URLSearchParams; readonly model: string }) {
  const find = query.get('find') ?? '';
  const sort = query.get('sort') ?? 'requests';
  const rows = useRows<ClientRow>(
    pathOf('/api/clients', { model, find, sort, most: 20 }),
    ({ principal, tenant }) => `${tenant}\n${principal}`,
  );
  return (
    <Card
      title="Clients"
      lead="Who asks, and how much of their budget is left. Press a column’s title to sort by it."
      flush
    >
      <Filters>
        <Search label="Find a client or tenant" value={find} onFind={(text) => setQuery({ find: text })} />
      </Filters>
      <PagedTable
        label="Clients"
        what="the clients"
        list={rows}
        keyOf={({ principal, tenant }) => `${tenant}\n${principal}`}
        sorted={sort}
        onSort={(by) => setQuery({ sort: by === 'requests' ? undefined : by })}
        toneOf={({ orders }) => (orders.length > 0 ? 'alarmed' : undefined)}
        empty={
          find === '' ? (
            <Empty
              title="Nobody asked yet"
              icon="people"
              action={
                <Link to="/people" class="button main">
                  Make a key
                </Link>
              }
            >
              Give a client a key; as soon as it asks, it is listed here.
            </Empty>
          ) : (
            <Empty title="No client of this name" icon="search">
              Names and tenants are looked through from their beginning.
            </Empty>
          )
        }
        columns={[
          {
            id: 'client',
            title: 'Client',
            cell: (row) => (
              <>
                <Link to={pathTo('traffic', row.principal)}>
                  <Text of={row.principal} most={36} />
                </Link>{' '}
                <Standing of={row} />
                <span class="muted small block">
                  <Text of={row.tenant} most={36} />
                </span>
              </>
            ),
          },
          {
            id: 'requests',
            title: 'Requests',
            number: true,
            sort: 'requests',
            cell: (row) => <span title={count(row.requests)}>{short(row.requests)}</span>,
          },
          {
            id: 'refused',
            title: 'Refused',
            number: true,
            sort: 'refused',
            cell: (row) => percent(row.refused / Math.max(1, row.requests)),
          },
          {
            id: 'flagged',
            title: 'Flagged',
            number: true,
            sort: 'flagged',
            extra: true,
            cell: (row) => count(row.flagged),
          },
          {
            id: 'budget',
            title: 'Budget',
            sort: 'budget',
            extra: true,
            cell: (row) => <BudgetCell of={row} />,
          },
          {
            id: 'last',
            title: 'Last seen',
            number: true,
            extra: true,
            cell: (row) => <Time at={row.last} />,
          },
        ]}
      />
    </Card>
  );
}

function BudgetCell({ of: { budget, principal } }: { readonly of: ClientRow }) {
  if (budget === undefined) return <span class="none">no limit</span>;
  const used = budget.used / Math.max(1, budget.limit);
  return (
    <div class="budget-cell">
      <Meter
        value={used}
        label={`Budget of ${principal.slice(0, 60)} used`}
        tone={used > 0.9 ? 'changed' : used > 0.6 ? 'warn' : 'held'}
      />
      <span class="muted small">
        {percent(used)}
        {budget.emptyAt !== undefined && budget.emptyAt > Date.now() && (
          <>
            , empty <Time at={budget.emptyAt} />
          </>
        )}
      </span>
    </div>
  );
}

/** What is done to a client, as people say it; the strongest first. */
const STANDINGS = [
  ['quarantine', 'Shut out'],
  ['throttle', 'Slowed down'],
  ['degrade', 'Class alone'],
] as const satisfies readonly (readonly [Measure, string])[];

function Standing({ of: { orders } }: { readonly of: ClientRow }) {
  if (orders.length === 0) return null;
  const words = STANDINGS.find(([measure]) => orders.some((order) => order.measure === measure))?.[1];
  return <Badge tone="changed">{words ?? 'Measure in force'}</Badge>;
}

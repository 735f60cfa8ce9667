import type { Page } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import type { Order } from '../../src/incident/order.ts';
import { pathOf, useQuery, useRows } from '../data/query.ts';
import { Card, Opening } from '../parts/card.tsx';
import { CaseRow } from '../parts/case-row.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search, Select } from '../parts/field.tsx';
import { counted, span } from '../parts/format.ts';
import { LoadedRows } from '../parts/loading.tsx';
import { Measures } from '../parts/measures.tsx';
import { TakeMeasure } from '../parts/take-measure/take-measure.tsx';
import { Link, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { CasePage } from './case.tsx';
import { OpenCase } from './cases/open-case.tsx';

/** All cases, those that need somebody first. With an id after it: one case. */
export default function CasesPage({ rest, query }: PageProps) {
  const [id] = rest;
  return id === undefined ? <List query={query} /> : <CasePage id={id} />;
}

const UNFINISHED = 'open,working,contained';

function List({ query }: { readonly query: URLSearchParams }) {
  const [state, kind, find] = [
    query.get('state') ?? UNFINISHED,
    query.get('kind') ?? '',
    query.get('find') ?? '',
  ];
  const cases = useRows<Case>(
    pathOf('/api/cases', { state: state === 'all' ? '' : state, kind, find }),
    ({ id }) => id,
  );
  const open = cases.rows.filter((each) => each.state === 'open' || each.state === 'working');
  const times = cases.rows.flatMap(({ containedAfter }) => containedAfter ?? []);
  const isFiltered = state !== UNFINISHED || kind !== '' || find !== '';
  return (
    <>
      <Opening
        chip={cases.loading ? 'Cases' : open.length > 0 ? 'Needs you' : 'Nothing open'}
        tone={open.length > 0 ? 'changed' : cases.loading ? 'rest' : 'held'}
        title={
          cases.loading
            ? 'Cases'
            : open.length > 0
              ? `${counted(open.length, 'case waits', 'cases wait')} for a person.`
              : 'No case waits for anybody.'
        }
        side={
          <div class="actions">
            <OpenCase />
            <TakeMeasure />
          </div>
        }
      >
        Alarms about the same thing form one case.
        {containedWords(times)}
      </Opening>
      <Card>
        <Filters>
          <Search label="Find a case, a client" value={find} onFind={(text) => setQuery({ find: text })} />
          <Select
            label="State"
            value={state}
            options={[
              [UNFINISHED, 'not closed'],
              ['open', 'open'],
              ['working', 'in work'],
              ['contained', 'contained'],
              ['closed', 'closed'],
              ['all', 'all'],
            ]}
            onChange={(next) => setQuery({ state: next === UNFINISHED ? undefined : next })}
          />
          <Select
            label="Kind"
            value={kind}
            options={[
              ['', 'all'],
              ['attack', 'attack-like'],
              ['drift', 'drift-like'],
              ['fault', 'fault'],
            ]}
            onChange={(next) => setQuery({ kind: next })}
          />
        </Filters>
        <LoadedRows
          list={cases}
          what="the cases"
          empty={
            <Empty
              title={isFiltered ? 'No such case' : 'No case'}
              icon="cases"
              action={
                isFiltered ? (
                  <Link to="/cases" class="button">
                    Without filters
                  </Link>
                ) : (
                  <Link to="/drift" class="button">
                    See the monitors
                  </Link>
                )
              }
            >
              {isFiltered
                ? 'None fits what is chosen above.'
                : 'When a monitor raises an alarm, a case is opened with what happened, who did it and what can be done. To see one now, run a drill: glacis incident drill.'}
            </Empty>
          }
        >
          {(rows) => (
            <ul class="case-list">
              {rows.map((each) => (
                <CaseRow key={each.id} of={each} />
              ))}
            </ul>
          )}
        </LoadedRows>
      </Card>
      <InForce />
    </>
  );
}

/** Everything that is in force now, whosever case it is of. */
function InForce() {
  const { data } = useQuery<Page<Order>>(pathOf('/api/orders', { active: 'true' }));
  if (data === undefined) return null;
  return (
    <Card title="Measures in force" lead="By hand and by the policy. Each can be lifted.">
      {data.rows.length === 0 ? (
        <p class="muted">None: everybody is served as the configuration says.</p>
      ) : (
        <Measures orders={data.rows} />
      )}
    </Card>
  );
}

/** How soon those that were contained were. */
function containedWords(times: readonly number[]): string {
  if (times.length === 0) return '';
  const middle = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
  if (times.length === 1)
    return ` Of those shown, one was contained, ${span(middle)} after the first bad query.`;
  return ` Of those shown, ${counted(times.length, 'was', 'were')} contained, half of them within ${span(middle)} of the first bad query.`;
}

import type { DecisionRow, Overview } from '../../src/gateway/console/api.ts';
import { pathOf, useQuery, useRows } from '../data/query.ts';
import { Card, Opening } from '../parts/card.tsx';
import { decisionColumns, toneOf } from '../parts/decision-table.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search, Select } from '../parts/field.tsx';
import { count } from '../parts/format.ts';
import { OUTCOMES } from '../parts/outcome.tsx';
import { PagedTable } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { EntryPage } from './ledger/entry-page.tsx';

const SPANS: Readonly<Record<string, number>> = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30 * 86_400_000,
};

/** Every decision and every act, found again, and proved. */
export default function LedgerPage({ rest, query }: PageProps) {
  const [id] = rest;
  return id === undefined ? <List query={query} /> : <EntryPage id={id} />;
}

function List({ query }: Pick<PageProps, 'query'>) {
  const overview = useQuery<Overview>('/api/overview');
  const of = (name: string) => query.get(name) ?? undefined;
  const span = SPANS[of('in') ?? ''];
  // To the minute, so that the same question stays the same.
  const from = span === undefined ? undefined : Math.floor((Date.now() - span) / 60_000) * 60_000;
  const list = useRows<DecisionRow>(
    pathOf('/api/decisions', {
      ...{ id: of('id'), principal: of('principal'), tenant: of('tenant'), model: of('model') },
      ...{ digest: of('digest'), outcome: of('outcome'), from, most: 50 },
    }),
    ({ entry }) => String(entry),
  );
  const log = overview.data?.log;
  const isFiltered = [...query.keys()].some((name) => name !== 'tab');
  return (
    <>
      <Opening
        title="What was decided, and proof of it"
        side={
          log && (
            <div class="log-state">
              <span class="figure">{count(log.size)}</span>
              <span class="muted">
                entries; signed <Time at={log.at} />
              </span>
              <Digest of={log.root} most={16} />
            </div>
          )
        }
      >
        Every call and every act is an entry of a log that nobody can change unseen. Open one, and your
        browser checks its receipt by itself.
      </Opening>
      <Card flush>
        <Filters>
          <Search
            label="Caller"
            value={of('principal') ?? ''}
            onFind={(text) => setQuery({ principal: text })}
          />
          <Search
            label="Decision or entry"
            value={of('id') ?? ''}
            onFind={(text) => setQuery({ id: text })}
          />
          <Search label="Model" value={of('model') ?? ''} onFind={(text) => setQuery({ model: text })} />
          <Select
            label="Outcome"
            value={of('outcome') ?? ''}
            options={[['', 'any'] as const, ...Object.entries(OUTCOMES)]}
            onChange={(outcome) => setQuery({ outcome })}
          />
          <Select
            label="Within"
            value={of('in') ?? ''}
            options={[
              ['', 'all time'],
              ['hour', 'the last hour'],
              ['day', 'the last day'],
              ['week', 'the last week'],
              ['month', 'the last 30 days'],
            ]}
            onChange={(span) => setQuery({ in: span })}
          />
        </Filters>
        <PagedTable
          list={list}
          what="the log"
          label="Decisions, the newest first"
          keyOf={({ entry }) => String(entry)}
          toneOf={toneOf}
          columns={[
            ...decisionColumns(),
            { id: 'n', title: 'Samples', number: true, extra: true, cell: ({ n }) => count(n) },
          ]}
          empty={
            <Empty title={isFiltered ? 'Nothing fits' : 'The log is empty'} icon="ledger">
              {isFiltered
                ? 'No entry fits all of what is asked for. Names must be written whole; leave one out to see more.'
                : 'The first call to a model makes the first entry.'}
            </Empty>
          }
        />
      </Card>
    </>
  );
}

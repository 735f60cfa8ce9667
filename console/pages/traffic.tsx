import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClientRow, DecisionRow, LiveEvent, Overview, Traffic } from '../../src/gateway/console/api.ts';
import { useLive } from '../data/live.ts';
import { pathOf, useQuery, useRows } from '../data/query.ts';
import { Badge } from '../parts/badge.tsx';
import { Meter, StackedBar } from '../parts/bars.tsx';
import { Button } from '../parts/button.tsx';
import { Card } from '../parts/card.tsx';
import { DecisionTable } from '../parts/decision-table.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search, Select } from '../parts/field.tsx';
import { count, figure, percent, short, span } from '../parts/format.ts';
import { Loaded } from '../parts/loading.tsx';
import { SeriesChart } from '../parts/series-chart.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { StageTable } from '../parts/stage-table.tsx';
import { PagedTable, Table } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { ClientPage } from './client.tsx';

const HOUR = 3_600_000;
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const;
type SpanName = keyof typeof SPANS;
const REFUSAL_TONES = ['changed', 's3', 's2', 's5', 's1', 's4'] as const;

/** What comes and what becomes of it, as it happens; below it who asks. With a name after it: one client. */
export default function TrafficPage({ rest, query }: PageProps) {
  const id = rest[0] ?? query.get('client');
  return id === undefined || id === null ? <Whole query={query} /> : <ClientPage id={id} />;
}

function Whole({ query }: { readonly query: URLSearchParams }) {
  const model = query.get('model') ?? '';
  const chosen = (query.get('span') ?? 'hour') as SpanName;
  const name: SpanName = chosen in SPANS ? chosen : 'hour';
  const { data: overview } = useQuery<Overview>('/api/overview');
  const from = useRounded(SPANS[name]);
  const traffic = useQuery<Traffic>(pathOf('/api/traffic', { model, from }), { every: 15_000 });
  return (
    <>
      <Now model={model} />
      <Filters>
        <Select
          label="Model"
          value={model}
          options={[
            ['', 'all'],
            ...(overview?.models ?? []).map((each) => [each.model, each.model] as const),
          ]}
          onChange={(next) => setQuery({ model: next })}
        />
        <fieldset class="segments">
          <legend class="unseen">Span</legend>
          {(Object.keys(SPANS) as SpanName[]).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === name}
              onClick={() => setQuery({ span: each === 'hour' ? undefined : each })}
            >
              Last {each}
            </button>
          ))}
        </fieldset>
      </Filters>
      <Loaded query={traffic} what="traffic" lines={7}>
        {(data) => <Spans of={data} />}
      </Loaded>
      <LiveDecisions model={model} />
      <Clients query={query} model={model} />
    </>
  );
}

/** A beginning that stays the same for a while, so that the question does, too. */
function useRounded(length: number): number {
  const step = length / 240;
  const round = () => Math.floor((Date.now() - length) / step) * step;
  const [from, setFrom] = useState(round);
  useEffect(() => {
    setFrom(round());
    const timer = setInterval(() => setFrom(round()), Math.max(15_000, step));
    return () => clearInterval(timer);
  }, [length]);
  return Math.round(from);
}

type Beat = Extract<LiveEvent, { readonly kind: 'traffic' }>;
/** Seconds of the line beside the figures. */
const BEATS = 120;

function Now({ model }: { readonly model: string }) {
  const [beats, setBeats] = useState<readonly Beat[]>([]);
  useLive((event) => {
    if (event.kind === 'traffic') setBeats((before) => [...before, event].slice(-BEATS));
  });
  const rate = ({ answered, refused, models }: Beat) =>
    model === '' ? answered + refused : (models[model] ?? 0);
  const last = beats.slice(-5);
  const mean = last.reduce((sum, beat) => sum + rate(beat), 0) / Math.max(1, last.length);
  const refused = last.reduce((sum, beat) => sum + beat.refused, 0) / Math.max(1, last.length);
  const newest = beats.at(-1);
  return (
    <div class="opening traffic-now">
      <div>
        <h1 tabIndex={-1}>
          {newest === undefined ? (
            'Traffic'
          ) : (
            <>
              {' '}
              {figure(Math.round(mean * 10) / 10)} requests a second
              {model !== '' && (
                <>
                  {' '}
                  for <Text of={model} most={30} />
                </>
              )}
            </>
          )}
        </h1>
        <p class="story">
          {newest === undefined ? (
            'Figures of each second appear here as they happen.'
          ) : (
            <>
              {figure(Math.round(refused * 10) / 10)} refused a second; half of the answers within{' '}
              <b>{newest.p50 === undefined ? '–' : span(newest.p50)}</b>, 99 of 100 within{' '}
              <b>{newest.p99 === undefined ? '–' : span(newest.p99)}</b>.
            </>
          )}
        </p>
      </div>
      {beats.length > 1 && (
        <div class="beat">
          <Sparkline values={beats.map(rate)} label="Requests a second, the last two minutes" />
        </div>
      )}
    </div>
  );
}

function Spans({ of }: { readonly of: Traffic }) {
  if (of.points.length === 0) {
    return (
      <Card>
        <Empty title="No requests in this span" icon="traffic">
          Send one: <code>curl …/v2/models/NAME/infer</code> with a key of the page People &amp; keys. It is
          counted here a second later.
        </Empty>
      </Card>
    );
  }
  const kinds = [...new Set(of.points.flatMap(({ refused }) => Object.keys(refused)))].slice(
    0,
    REFUSAL_TONES.length,
  );
  const at = of.points.map((point) => point.at);
  const perSecond = (n: number) => (n * 1000) / of.step;
  const sum = (name: string) => of.points.reduce((all, { refused }) => all + (refused[name] ?? 0), 0);
  const answered = of.points.reduce((all, point) => all + point.answered, 0);
  return (
    <>
      <Card title="Requests a second" lead={`One point each ${span(of.step)}.`}>
        <SeriesChart
          label="Requests a second"
          at={at}
          series={[
            {
              name: 'answered',
              tone: 'held',
              look: 'area',
              values: of.points.map((point) => perSecond(point.answered)),
              unit: rateWords,
            },
            {
              name: 'refused',
              tone: 'changed',
              look: 'area',
              values: of.points.map(({ refused }) =>
                perSecond(Object.values(refused).reduce((all, n) => all + n, 0)),
              ),
              unit: rateWords,
            },
          ]}
        />
        <div class="fate">
          <StackedBar
            label="What became of the requests"
            parts={[
              { name: 'answered', value: answered, tone: 'held' },
              ...kinds.map((name, i) => ({ name, value: sum(name), tone: REFUSAL_TONES[i]! })),
            ]}
          />
        </div>
      </Card>
      <div class="columns">
        <Card title="Time to an answer">
          <SeriesChart
            label="Time to an answer"
            height={160}
            at={at}
            series={[
              { name: 'half within', tone: 'held', values: of.points.map(({ p50 }) => p50), unit: span },
              { name: '99 of 100 within', tone: 's5', values: of.points.map(({ p99 }) => p99), unit: span },
            ]}
          />
          <StageTable stages={of.stages} />
        </Card>
        <Card
          title="What the guards said"
          lead="Samples that each guard judged in this span. What passes is left out of the bar."
        >
          {of.guards.length === 0 ? (
            <Empty title="No guard judged anything" icon="shield">
              Guards are named in <code>serve: guards:</code>; without one, everything that fits the model is
              answered.
            </Empty>
          ) : (
            <Table
              label="Guards"
              keyOf={({ guard, model }) => `${model} ${guard}`}
              rows={of.guards}
              columns={[
                {
                  id: 'guard',
                  title: 'Guard',
                  cell: (row) => (
                    <>
                      <b>
                        <Text of={row.guard} most={30} />
                      </b>{' '}
                      <span class="muted small block">
                        <Text of={row.model} most={30} />
                      </span>
                    </>
                  ),
                },
                {
                  id: 'bar',
                  title: 'Not passed',
                  cell: (row) => (
                    <StackedBar
                      thin
                      legend={false}
                      label={`${row.guard}, not passed`}
                      parts={[
                        { name: 'flagged', value: row.flag, tone: 'warn' },
                        { name: 'degraded', value: row.degrade, tone: 's5' },
                        { name: 'refused', value: row.refuse, tone: 'changed' },
                      ]}
                    />
                  ),
                },
                { id: 'flag', title: 'flagged', number: true, cell: (row) => count(row.flag) },
                { id: 'refuse', title: 'refused', number: true, cell: (row) => count(row.refuse) },
                {
                  id: 'share',
                  title: 'of all',
                  number: true,
                  extra: true,
                  cell: (row) =>
                    percent(
                      (row.flag + row.degrade + row.refuse) /
                        Math.max(1, row.pass + row.flag + row.degrade + row.refuse),
                    ),
                },
              ]}
            />
          )}
        </Card>
      </div>
    </>
  );
}

function rateWords(value: number): string {
  return value >= 100 ? short(value) : String(Math.round(value * 10) / 10);
}

function Clients({ query, model }: { readonly query: URLSearchParams; readonly model: string }) {
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
                {row.orders.length > 0 && <Badge tone="changed">{row.orders[0]!.measure}</Badge>}
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

const SHOWN = 10;

/** Calls as they come. A person who reads must be able to stop them. */
function LiveDecisions({ model }: { readonly model: string }) {
  const [paused, setPaused] = useState(false);
  const [rows, setRows] = useState<readonly DecisionRow[]>([]);
  const { data } = useQuery<{ readonly rows: readonly DecisionRow[] }>(
    pathOf('/api/decisions', { model, most: SHOWN }),
  );
  const begun = useRef('');
  useEffect(() => {
    if (data === undefined || begun.current === model + String(data.rows.length > 0)) return;
    begun.current = model + String(data.rows.length > 0);
    setRows(data.rows.slice(0, SHOWN));
  }, [data]);
  useLive((event) => {
    if (event.kind !== 'decision' || paused || (model !== '' && event.row.model !== model)) return;
    setRows((before) => [event.row, ...before.filter(({ id }) => id !== event.row.id)].slice(0, SHOWN));
  });
  return (
    <Card
      title="Calls as they come"
      side={
        <>
          <Button small onPress={() => setPaused(!paused)} aria-pressed={paused}>
            {paused ? 'Go on' : 'Hold still'}
          </Button>
          <Link to="/ledger">All, in the ledger</Link>
        </>
      }
      flush
    >
      {rows.length === 0 ? (
        <Empty title="No call yet" icon="traffic">
          The next one appears here.
        </Empty>
      ) : (
        <DecisionTable rows={rows} label="Calls as they come" />
      )}
    </Card>
  );
}

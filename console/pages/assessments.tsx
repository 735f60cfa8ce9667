import type { AssessmentList, AssessmentRow } from '../../src/gateway/console/api.ts';
import type { AlarmSeverity } from '../../src/monitor/alarm.ts';
import { pathOf, useQuery, useRows } from '../data/query.ts';
import { Badge, Severity } from '../parts/badge.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search } from '../parts/field.tsx';
import { count, counted, percent } from '../parts/format.ts';
import { PagedTable } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { ComparePage } from './assessments/compare.tsx';
import { AssessmentPage } from './assessments/detail.tsx';
import { OverTime } from './assessments/over-time.tsx';
import { ballWords, gravest, headBall } from './assessments/words.ts';

/** What attacks did to models, from one assessment to the next. */
export default function AssessmentsPage({ rest, query }: PageProps) {
  const [id] = rest;
  if (id === 'compare') return <ComparePage query={query} />;
  return id === undefined ? <List query={query} /> : <AssessmentPage key={id} id={id} />;
}

function List({ query }: Pick<PageProps, 'query'>) {
  const find = query.get('find') ?? undefined;
  const path = pathOf('/api/assessments', { find, most: 100 });
  const list = useRows<AssessmentRow>(path, ({ id }) => id);
  const { data } = useQuery<AssessmentList>(path);
  return (
    <>
      <Opening
        title="How strong the models are"
        side={
          list.rows.length > 1 && (
            <Link to="/assessments/compare" class="button">
              Compare two
            </Link>
          )
        }
      >
        Every result of <code>glacis assess</code> in the folder that the configuration names, with what it
        found.
      </Opening>
      {list.rows.length > 1 && <OverTime rows={list.rows} />}
      <Card flush>
        {(list.rows.length > 0 || find !== undefined) && (
          <Filters>
            <Search
              label="Model, data or digest"
              value={find ?? ''}
              onFind={(text) => setQuery({ find: text })}
            />
            {data !== undefined && data.unreadable > 0 && (
              <Badge tone="warn">{counted(data.unreadable, 'file')} could not be read</Badge>
            )}
          </Filters>
        )}
        <PagedTable
          list={list}
          what="the assessments"
          label="Assessments, the newest first"
          keyOf={({ id }) => id}
          columns={[
            {
              id: 'model',
              title: 'Model',
              cell: ({ id, model }) => (
                <Link to={pathTo('assessments', id)}>
                  <Text of={model} most={40} />
                </Link>
              ),
            },
            { id: 'at', title: 'When', cell: ({ at }) => <Time at={at} /> },
            {
              id: 'clean',
              title: 'Clean',
              number: true,
              cell: ({ cleanAccuracy }) => (cleanAccuracy === undefined ? '–' : percent(cleanAccuracy)),
            },
            { id: 'robust', title: 'Under attack', cell: (row) => <Robust row={row} /> },
            {
              id: 'findings',
              title: 'Findings',
              extra: true,
              cell: (row) => {
                const severity = gravest(row);
                return severity === undefined ? (
                  <span class="none">none</span>
                ) : (
                  <Severity of={severity as AlarmSeverity} />
                );
              },
            },
            { id: 'n', title: 'Inputs', number: true, extra: true, cell: ({ n }) => count(n) },
            { id: 'digest', title: 'Digest', extra: true, cell: ({ digest }) => <Digest of={digest} /> },
          ]}
          empty={
            <Empty title={find === undefined ? 'No assessments yet' : 'Nothing fits'} icon="assessments">
              {find !== undefined ? (
                'No assessment has this in its name, data or digest.'
              ) : data?.configured === false ? (
                <>
                  Name a folder at <code>serve.console.assessments</code> in your configuration, and let{' '}
                  <code>glacis assess</code> write there.
                </>
              ) : (
                <>
                  Run <code>glacis assess MODEL --data DATA --out FOLDER/NAME</code> with the folder that the
                  configuration names.
                </>
              )}
            </Empty>
          }
        />
      </Card>
    </>
  );
}

function Robust({ row }: { readonly row: AssessmentRow }) {
  const ball = headBall(row);
  if (ball === undefined) return <span class="none">no attack</span>;
  return (
    <span class="robust">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="empty" x="0" y="0" width="100" height="10" />
        <rect
          class={ball.accuracy < 0.5 ? 'changed' : 'held'}
          x="0"
          y="0"
          width={100 * ball.accuracy}
          height="10"
        />
        <path class="interval" d={`M${100 * ball.low} 5H${100 * ball.high}`} />
      </svg>
      {percent(ball.accuracy)} <span class="muted">at {ballWords(ball)}</span>
    </span>
  );
}

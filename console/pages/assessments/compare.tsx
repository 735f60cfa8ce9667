import type { Comparison, ComparisonRow } from '../../../src/assess/compare/comparison.ts';
import type { AssessmentList, AssessmentRow } from '../../../src/gateway/console/api.ts';
import { pathOf, useQuery } from '../../data/query.ts';
import { Badge } from '../../parts/badge.tsx';
import { Card, Opening } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Filters, Select } from '../../parts/field.tsx';
import { figure, percent } from '../../parts/format.ts';
import { Loaded, Loading } from '../../parts/loading.tsx';
import { Table } from '../../parts/table.tsx';
import { plainText, Text } from '../../parts/text.tsx';
import { Link, setQuery } from '../../shell/router.tsx';
import { IntervalChart } from './interval-chart.tsx';
import { ballWords } from './words.ts';

/** Two assessments held against each other. */
export function ComparePage({ query }: { readonly query: URLSearchParams }) {
  const list = useQuery<AssessmentList>('/api/assessments?most=100');
  return (
    <>
      <p class="way-back">
        <Link to="/assessments">Assessments</Link>
      </p>
      <Opening title="Has it become better?">
        A difference is claimed only where a test finds one: sample by sample where both were assessed on the
        same data.
      </Opening>
      <Loaded query={list} what="the assessments">
        {({ rows }) => (
          <Pair rows={rows} a={query.get('a') ?? rows[1]?.id} b={query.get('b') ?? rows[0]?.id} />
        )}
      </Loaded>
    </>
  );
}

function Pair({
  rows,
  a,
  b,
}: {
  readonly rows: readonly AssessmentRow[];
  readonly a: string | undefined;
  readonly b: string | undefined;
}) {
  const [one, other] = [a, b].map((id) => rows.find((row) => row.id === id));
  const options = rows.map(
    ({ id, model, at }) =>
      [
        id,
        `${plainText(model)}, ${new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}`,
      ] as const,
  );
  return (
    <>
      <Filters>
        <Select label="First" value={a ?? ''} options={options} onChange={(id) => setQuery({ a: id })} />
        <Select label="Then" value={b ?? ''} options={options} onChange={(id) => setQuery({ b: id })} />
      </Filters>
      {one === undefined || other === undefined || one === other ? (
        <Card>
          <Empty title="Choose two assessments" icon="assessments">
            Of the same model before and after a change, or of two models on the same data.
          </Empty>
        </Card>
      ) : (
        <Both one={one} other={other} />
      )}
    </>
  );
}

function Both({ one, other }: { readonly one: AssessmentRow; readonly other: AssessmentRow }) {
  const found = useQuery<Comparison>(pathOf('/api/assessments/compare', { a: one.id, b: other.id }));
  const balls = [...new Set([...one.robust, ...other.robust].map(ballWords))];
  const line = (row: AssessmentRow, name: string, tone: 'held' | 'changed') => ({
    ...{ name, tone },
    points: [
      ...(row.cleanAccuracy === undefined ? [] : [{ x: 0, value: row.cleanAccuracy, name: 'clean' }]),
      ...row.robust.map(({ accuracy, low, high, ...ball }) => ({
        x: 1 + balls.indexOf(ballWords(ball)),
        value: accuracy,
        ...{ low, high, name: ballWords(ball) },
      })),
    ],
  });
  return (
    <>
      <Card
        title="Side by side"
        lead="Clean accuracy, and what is still right under the strongest attack of each budget."
      >
        <IntervalChart
          label="Accuracy of both"
          lines={[
            line(one, `first: ${plainText(one.model)}`, 'changed'),
            line(other, `then: ${plainText(other.model)}`, 'held'),
          ]}
          ticks={[[0, 'clean'] as const, ...balls.map((ball, i) => [1 + i, ball] as const)]}
        />
      </Card>
      <Card flush title="What a test says">
        {found.data === undefined && found.error === undefined ? (
          <Loading what="the comparison" />
        ) : found.data === undefined ? (
          <Empty title="They cannot be compared sample by sample" icon="assessments">
            {found.error!.message}. The intervals above still hold: where they do not overlap, there is a
            difference.
          </Empty>
        ) : (
          <Tested comparison={found.data} />
        )}
      </Card>
    </>
  );
}

const VERDICTS = {
  higher: ['held', 'Better'],
  lower: ['changed', 'Worse'],
  'no difference shown': ['rest', 'No difference shown'],
} as const;

function Tested({ comparison: { rows, paired, notes } }: { readonly comparison: Comparison }) {
  const wordsOf = ({ kind, attacks, norm, eps }: ComparisonRow): string =>
    kind === 'clean'
      ? 'Without an attack'
      : `${kind === 'worst' ? 'All attacks together' : attacks.join(', ')}${norm === undefined ? '' : `, ${ballWords({ norm, eps: eps ?? 0 })}`}`;
  return (
    <>
      <p class="lead">
        {paired
          ? 'McNemar’s exact test on the same samples, corrected for all tests shown (Holm).'
          : 'Fisher’s exact test: the samples are not the same, so it sees less. Corrected for all tests shown (Holm).'}
      </p>
      <Table
        label="Differences and what a test says of them"
        rows={rows}
        keyOf={wordsOf}
        columns={[
          { id: 'what', title: 'What', cell: (row) => <Text of={wordsOf(row)} most={60} /> },
          { id: 'first', title: 'First', number: true, cell: ({ rates }) => percent(rates[0]!.accuracy) },
          { id: 'then', title: 'Then', number: true, cell: ({ rates }) => percent(rates[1]!.accuracy) },
          {
            id: 'difference',
            title: 'Difference (95 %)',
            number: true,
            extra: true,
            cell: ({ contrasts: [contrast] }) =>
              contrast &&
              `${points(contrast.difference)} (${points(contrast.interval[0])} to ${points(contrast.interval[1])})`,
          },
          {
            id: 'p',
            title: 'p',
            number: true,
            extra: true,
            cell: ({ contrasts: [contrast] }) => contrast && figure(contrast.corrected),
          },
          {
            id: 'verdict',
            title: 'Verdict',
            cell: ({ contrasts: [contrast] }) => {
              const [tone, words] = VERDICTS[contrast?.verdict ?? 'no difference shown'];
              return <Badge tone={tone}>{words}</Badge>;
            },
          },
        ]}
      />
      {notes.length > 0 && (
        <ul class="lead notes">
          {notes.map((note) => (
            <li key={note}>
              <Text of={note} most={300} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function points(share: number): string {
  return `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}`;
}

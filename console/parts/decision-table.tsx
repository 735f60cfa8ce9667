import type { DecisionRow } from '../../src/gateway/console/api.ts';
import { Link, pathTo } from '../shell/router.tsx';
import { Badge, Outcome } from './badge.tsx';
import { count, figure, score } from './format.ts';
import { Table } from './table.tsx';
import { Text } from './text.tsx';
import { Time } from './time.tsx';

/** Calls with what became of them. Each leads to its entry in the ledger. */
export function DecisionTable({
  rows,
  label,
  withClient = true,
  classNames,
  now,
}: {
  readonly rows: readonly DecisionRow[];
  readonly label: string;
  readonly withClient?: boolean;
  readonly classNames?: readonly string[] | undefined;
  /** What another model says to the same calls, by their id. */
  readonly now?: ReadonlyMap<string, DecisionRow['top']>;
}) {
  return (
    <Table
      label={label}
      rows={rows}
      keyOf={({ id, entry }) => `${entry} ${id}`}
      columns={[
        {
          id: 'call',
          title: 'Call',
          cell: (row) => (
            <>
              <Link to={pathTo('ledger', String(row.entry))} title={row.id}>
                {count(row.entry)}
              </Link>
              <span class="muted small block">
                <Time at={row.at} />
              </span>
            </>
          ),
        },
        ...(withClient
          ? [
              {
                id: 'client',
                title: 'Client',
                cell: (row: DecisionRow) =>
                  row.principal === undefined ? (
                    <span class="none">nobody</span>
                  ) : (
                    <Link to={pathTo('traffic', row.principal)}>
                      <Text of={row.principal} most={28} />
                    </Link>
                  ),
              },
            ]
          : []),
        {
          id: 'model',
          title: 'Model',
          extra: true,
          cell: (row) => (
            <>
              <Text of={row.model} most={26} />{' '}
              {row.version !== undefined && (
                <span class="muted small">
                  <Text of={row.version} most={14} />
                </span>
              )}
            </>
          ),
        },
        {
          id: 'outcome',
          title: 'Outcome',
          cell: (row) => (
            <>
              <Outcome of={row.outcome} />
              {row.because !== undefined && (
                <span class="muted small block extra">
                  <Text of={row.because} most={70} />
                </span>
              )}
            </>
          ),
        },
        {
          id: 'answer',
          title: 'Answer',
          cell: (row) => <Answer of={row.top} n={row.n} classNames={classNames} />,
        },
        ...(now
          ? [
              {
                id: 'now',
                title: 'Now',
                cell: (row: DecisionRow) => (
                  <Answer of={now.get(row.id)} n={row.n} classNames={classNames} changed />
                ),
              },
            ]
          : []),
        {
          id: 'guard',
          title: 'Guard',
          extra: true,
          cell: (row) =>
            row.guard === undefined || row.guard.action === 'pass' ? (
              <span class="none">–</span>
            ) : (
              <span title={`score ${figure(row.guard.score)}`}>
                <Text of={row.guard.guard} most={24} />{' '}
                <Badge tone={row.guard.action === 'refuse' ? 'changed' : 'warn'}>{row.guard.action}</Badge>
              </span>
            ),
        },
      ]}
    />
  );
}

function Answer({
  of,
  n,
  classNames,
  changed = false,
}: {
  readonly of: DecisionRow['top'];
  readonly n: number;
  readonly classNames: readonly string[] | undefined;
  readonly changed?: boolean;
}) {
  const [first] = of ?? [];
  if (first === undefined) return <span class="none">{changed ? 'the same' : '–'}</span>;
  return (
    <span class={changed ? 'answer-changed' : ''}>
      <Text of={classNames?.[first[0]] ?? `class ${first[0]}`} most={24} />{' '}
      <span class="muted small">{score(first[1])}</span>
      {n > 1 && <span class="muted small"> +{n - 1}</span>}
    </span>
  );
}

import type { DecisionRow } from '../../src/gateway/console/api.ts';
import { Link, pathTo } from '../shell/router.tsx';
import { Badge } from './badge.tsx';
import { ClassName } from './class-name.tsx';
import { count, figure, score, titled } from './format.ts';
import { GUARD_DID, Outcome } from './outcome.tsx';
import { type Column, Table } from './table.tsx';
import { Text } from './text.tsx';
import { Time } from './time.tsx';

interface Kind {
  readonly withClient?: boolean;
  /** What another model says to the same calls, by their id. */
  readonly now?: ReadonlyMap<string, DecisionRow['top']> | undefined;
}

/** Calls with what became of them. Each leads to its entry in the ledger. */
export function DecisionTable({
  rows,
  label,
  ...kind
}: Kind & { readonly rows: readonly DecisionRow[]; readonly label: string }) {
  return (
    <Table
      label={label}
      rows={rows}
      keyOf={({ id, entry }) => `${entry} ${id}`}
      toneOf={toneOf}
      columns={decisionColumns(kind)}
    />
  );
}

/** A call that a guard did not let pass stands out. */
export function toneOf({ guard }: DecisionRow): 'alarmed' | undefined {
  return guard !== undefined && guard.action === 'refuse' ? 'alarmed' : undefined;
}

/** What a list of calls shows of each. */
export function decisionColumns({ withClient = true, now }: Kind = {}): readonly Column<DecisionRow>[] {
  return [
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
    ...(withClient ? [CLIENT] : []),
    {
      id: 'model',
      title: 'Model',
      extra: true,
      cell: (row) => (
        <>
          <Text of={row.model} most={26} />
          {row.version !== undefined && (
            <span class="muted small block">
              version <Text of={row.version} most={14} />
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
    { id: 'answer', title: 'Answer', cell: (row) => <Answer row={row} of={row.top} /> },
    ...(now === undefined
      ? []
      : [
          {
            id: 'now',
            title: 'Now',
            cell: (row: DecisionRow) => <Answer row={row} of={now.get(row.id)} changed />,
          },
        ]),
    {
      id: 'guard',
      title: 'Guard',
      extra: true,
      cell: ({ guard }) =>
        guard === undefined || guard.action === 'pass' ? (
          <span class="none">–</span>
        ) : (
          <span title={`score ${figure(guard.score)}`}>
            <Text of={titled(guard.guard)} most={24} />{' '}
            <Badge tone={guard.action === 'refuse' ? 'changed' : 'warn'}>
              {GUARD_DID[guard.action] ?? guard.action}
            </Badge>
          </span>
        ),
    },
  ];
}

const CLIENT: Column<DecisionRow> = {
  id: 'client',
  title: 'Client',
  cell: (row) =>
    row.principal === undefined ? (
      <span class="none">nobody</span>
    ) : (
      <Link to={pathTo('traffic', row.principal)}>
        <Text of={row.principal} most={28} />
      </Link>
    ),
};

function Answer({
  row,
  of,
  changed = false,
}: {
  readonly row: DecisionRow;
  readonly of: DecisionRow['top'];
  readonly changed?: boolean;
}) {
  const [first] = of ?? [];
  if (first === undefined) return <span class="none">{changed ? 'the same' : '–'}</span>;
  const differs = changed && of?.some(([label], i) => label !== row.top?.[i]?.[0]);
  return (
    <span class={differs ? 'answer-changed' : ''}>
      <ClassName model={row.model} label={first[0]} /> <span class="muted small">{score(first[1])}</span>
      {row.n > 1 && <span class="muted small block">and {count(row.n - 1)} more</span>}
    </span>
  );
}

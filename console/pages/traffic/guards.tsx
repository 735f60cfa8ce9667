import type { Traffic } from '../../../src/gateway/console/api.ts';
import { StackedBar } from '../../parts/bars.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { count, percent, titled } from '../../parts/format.ts';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';

/** How many samples each guard let pass, flagged and refused. */
export function Guards({ of }: { readonly of: Traffic['guards'] }) {
  return (
    <Card
      title="What the guards said"
      lead="Samples that each guard judged in this span; the bar shows those that it did not let pass."
    >
      {of.length === 0 ? (
        <Empty title="No guard judged anything" icon="shield">
          Guards are named in <code>serve: guards:</code>; without one, everything that fits the model is
          answered.
        </Empty>
      ) : (
        <Table
          label="Guards"
          keyOf={({ guard, model }) => `${model} ${guard}`}
          rows={of}
          columns={[
            {
              id: 'guard',
              title: 'Guard',
              cell: (row) => (
                <>
                  <b>
                    <Text of={titled(row.guard)} most={30} />
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
            { id: 'flag', title: 'Flagged', number: true, cell: (row) => count(row.flag) },
            { id: 'refuse', title: 'Refused', number: true, cell: (row) => count(row.refuse) },
            {
              id: 'share',
              title: 'Of all',
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
  );
}

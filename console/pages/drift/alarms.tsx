import type { Alarm } from '../../../src/monitor/alarm.ts';
import { pathOf, useRows } from '../../data/query.ts';
import { KindBadge, Severity } from '../../parts/badge.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { figure } from '../../parts/format.ts';
import { PagedTable } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';

/** Every word of the monitors about a model. */
export function Alarms({ model }: { readonly model: string }) {
  const rows = useRows<Alarm>(pathOf('/api/alarms', { model }), ({ id }) => id);
  return (
    <Card title="Alarms" lead="Every word of a monitor, also those that belong to a closed case." flush>
      <PagedTable
        label="Alarms"
        what="the alarms"
        list={rows}
        keyOf={({ id }) => id}
        empty={
          <Empty title="No alarm" icon="alerts">
            A monitor that finds something unusual says so here, and opens a case.
          </Empty>
        }
        columns={[
          {
            id: 'title',
            title: 'Alarm',
            cell: (row) => (
              <>
                <b>
                  <Text of={row.title} most={110} />
                </b>{' '}
                <span class="muted small block extra">
                  <Text of={row.why} most={170} />
                </span>
              </>
            ),
          },
          { id: 'kind', title: 'Kind', cell: (row) => <KindBadge of={row.kind} /> },
          { id: 'severity', title: 'Severity', extra: true, cell: (row) => <Severity of={row.severity} /> },
          {
            id: 'score',
            title: 'Score',
            number: true,
            extra: true,
            cell: (row) => `${figure(row.score)} / ${figure(row.threshold)}`,
          },
          { id: 'at', title: 'When', number: true, cell: (row) => <Time at={row.at} /> },
        ]}
      />
    </Card>
  );
}

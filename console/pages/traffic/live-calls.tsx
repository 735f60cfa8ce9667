import { useEffect, useRef, useState } from 'preact/hooks';
import type { DecisionRow } from '../../../src/gateway/console/api.ts';
import { useLive } from '../../data/live.ts';
import { pathOf, useQuery } from '../../data/query.ts';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { DecisionTable } from '../../parts/decision-table.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Link } from '../../shell/router.tsx';

const SHOWN = 10;

/** Calls as they come. A person who reads must be able to stop them. */
export function LiveCalls({ model }: { readonly model: string }) {
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

import type { DecisionRow } from '../../src/gateway/console/api.ts';
import type { Case, CaseEvent } from '../../src/incident/case.ts';
import { tell } from '../data/ask.ts';
import { touch } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Button } from '../parts/button.tsx';
import { DecisionTable } from '../parts/decision-table.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Time } from '../parts/time.tsx';
import { said } from '../shell/toast.tsx';
import { EvidenceInputs } from './cases/evidence-inputs.tsx';

/** Calls that show what happened, and the case as one signed file that is checked without this gateway. */
export function Evidence({
  of,
  events,
  decisions,
}: {
  readonly of: Case;
  readonly events: readonly CaseEvent[];
  readonly decisions: readonly DecisionRow[];
}) {
  const [mayAct, mayExport] = [useMay('incident.act'), useMay('log.export')];
  const packed = events.findLast(({ what }) => what.kind === 'bundle');
  const path = `/api/cases/${encodeURIComponent(of.id)}/bundle`;
  const pack = async (): Promise<void> => {
    await tell(path);
    touch('/api/cases');
    said('Packed: the evidence can be downloaded.');
  };
  return (
    <>
      {(mayAct || mayExport) && (
        <div class="bundle">
          {packed?.what.kind === 'bundle' && (
            <a class="button" href={path} download={`${of.id}.zip`}>
              <Icon name="download" size={17} />
              <span>Download the evidence</span>
            </a>
          )}
          <Button onPress={pack}>{packed === undefined ? 'Pack the evidence' : 'Pack it anew'}</Button>
          <span class="muted small">
            {packed?.what.kind === 'bundle' ? (
              <>
                Packed <Time at={packed.at} />: <Digest of={packed.what.digest} />. It is checked without this
                gateway, by <code>glacis incident verify</code>.
              </>
            ) : (
              'One signed file with the case, its calls and their receipts, which anybody can check without this gateway.'
            )}
          </span>
        </div>
      )}
      {decisions.length === 0 ? (
        <Empty title="No call is kept as evidence" icon="ledger">
          Monitors name the calls that show what they found; this one names none.
        </Empty>
      ) : (
        <>
          <EvidenceInputs of={decisions} />
          <DecisionTable rows={decisions} label="Calls that show it, the most telling first" />
        </>
      )}
    </>
  );
}

import { useState } from 'preact/hooks';
import type { PolicyView } from '../../../src/gateway/console/api.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { count, counted, span, titled } from '../../parts/format.ts';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { type Subject, WhatIfDialog } from './what-if.tsx';

/** Budgets and rates in force. */
export function Limits({ policy: { budgets, rates } }: { readonly policy: PolicyView }) {
  const [subject, setSubject] = useState<Subject | undefined>();
  const mayAsk = useMay('guards.read');
  return (
    <div class="columns">
      <Card
        flush
        title="Budgets"
        lead="How much somebody may ask in weeks: enough to work, too little to copy a model."
      >
        <Table
          label="Budgets"
          rows={budgets}
          keyOf={(budget) => JSON.stringify(budget)}
          columns={[
            { id: 'per', title: 'Each', cell: ({ per }) => titled(per) },
            {
              id: 'who',
              title: 'Who',
              extra: true,
              cell: ({ who }) => <Text of={who.join(', ')} most={40} />,
            },
            {
              id: 'models',
              title: 'Models',
              extra: true,
              cell: ({ models, together }) => (
                <Text of={`${models.join(', ')}${together ? ' together' : ''}`} most={40} />
              ),
            },
            { id: 'queries', title: 'Queries', number: true, cell: ({ queries }) => count(queries) },
            { id: 'window', title: 'In', number: true, cell: ({ window }) => span(window) },
            {
              id: 'what-if',
              title: <span class="unseen">Try another budget</span>,
              cell: ({ per, queries, window }) =>
                mayAsk && (
                  <Button
                    small
                    aria-label={`What if each ${per} had another budget than ${count(queries)}?`}
                    onPress={() =>
                      setSubject({
                        kind: 'budget',
                        per: per as 'principal' | 'tenant' | 'model',
                        queries,
                        window,
                      })
                    }
                  >
                    What if …
                  </Button>
                ),
            },
          ]}
        />
      </Card>
      <Card flush title="Rates" lead="How fast somebody may ask.">
        <Table
          label="Rates"
          rows={rates}
          keyOf={(rate) => JSON.stringify(rate)}
          columns={[
            {
              id: 'per',
              title: 'Each',
              cell: ({ per }) => (per === 'all' ? 'Everybody together' : titled(per)),
            },
            {
              id: 'most',
              title: 'At most',
              number: true,
              cell: ({ requests, samples }) =>
                requests === undefined ? counted(samples ?? 0, 'sample') : counted(requests, 'request'),
            },
            { id: 'every', title: 'In a', cell: ({ every }) => every },
            {
              id: 'what-if',
              title: <span class="unseen">Try another rate</span>,
              cell: ({ per, requests, every }) =>
                mayAsk && <RateWhatIf per={per} requests={requests} every={every} onAsk={setSubject} />,
            },
          ]}
        />
      </Card>
      {subject && <WhatIfDialog subject={subject} onClose={() => setSubject(undefined)} />}
    </div>
  );
}

/** Milliseconds of the words of a rate. */
const EVERY: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** A rate of requests of somebody may be tried; samples and everybody together are not counted in a replay, which is said. */
function RateWhatIf({
  per,
  requests,
  every,
  onAsk,
}: Pick<PolicyView['rates'][number], 'per' | 'requests' | 'every'> & {
  readonly onAsk: (subject: Subject) => void;
}) {
  const length = EVERY[every];
  if (requests === undefined || length === undefined || !isCounted(per))
    return <span class="muted small">not replayed: only requests each</span>;
  return (
    <Button
      small
      aria-label={`What if each ${per} had another rate than ${count(requests)} a ${every}?`}
      onPress={() => onAsk({ kind: 'rate', per, requests, every: length })}
    >
      What if …
    </Button>
  );
}

function isCounted(per: string): per is 'principal' | 'tenant' | 'address' {
  return per === 'principal' || per === 'tenant' || per === 'address';
}

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
              cell: (rate) => mayAsk && <RateWhatIf rate={rate} onAsk={setSubject} />,
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

/** A rate may be tried, except one of each key, which past decisions are not counted by. */
function RateWhatIf({
  rate: { per, requests, samples, every },
  onAsk,
}: {
  readonly rate: PolicyView['rates'][number];
  readonly onAsk: (subject: Subject) => void;
}) {
  const length = EVERY[every];
  if (length === undefined || !isCounted(per)) return <span class="muted small">not replayed</span>;
  const counts = requests === undefined ? 'samples' : 'requests';
  const most = requests ?? samples ?? 0;
  const whose = per === 'all' ? 'everybody together' : `each ${per}`;
  const now = counts === 'samples' ? counted(most, 'sample') : count(most);
  return (
    <Button
      small
      aria-label={`What if ${whose} had another rate than ${now} a ${every}?`}
      onPress={() => onAsk({ kind: 'rate', per, most, counts, every: length })}
    >
      What if …
    </Button>
  );
}

function isCounted(per: string): per is 'principal' | 'tenant' | 'address' | 'all' {
  return per === 'principal' || per === 'tenant' || per === 'address' || per === 'all';
}

import { useState } from 'preact/hooks';
import type { PolicyView } from '../../../src/gateway/console/api.ts';
import { useMay } from '../../data/session.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Filters, Search } from '../../parts/field.tsx';
import { figure, titled } from '../../parts/format.ts';
import { Table } from '../../parts/table.tsx';
import { TakeMeasure } from '../../parts/take-measure/take-measure.tsx';
import { plainText, Text } from '../../parts/text.tsx';
import { type Subject, WhatIfDialog } from './what-if.tsx';

/** Guards in force, and those that could be, each with a threshold that one may try on past traffic. */
export function Guards({ guards }: { readonly guards: PolicyView['guards'] }) {
  const [find, setFind] = useState('');
  const [subject, setSubject] = useState<Subject | undefined>();
  const mayAsk = useMay('guards.read');
  const rows = guards.filter(({ model, guard }) =>
    `${model} ${guard}`.toLowerCase().includes(find.toLowerCase()),
  );
  return (
    <>
      <Card
        flush
        lead="Guards look at every request, the cheapest first. A score above the threshold is an alarm."
      >
        <Filters>
          <Search label="Model or guard" value={find} onFind={setFind} />
        </Filters>
        {rows.length === 0 ? (
          <Empty title={guards.length === 0 ? 'No guards' : 'Nothing fits'} icon="shield">
            {guards.length === 0
              ? 'Calibrate some on calm traffic: glacis calibrate MODEL --data CALM --out calibration.json'
              : 'No guard has this in its name.'}
          </Empty>
        ) : (
          <Table
            label="Guards"
            rows={rows}
            keyOf={({ model, guard }) => `${model} ${guard}`}
            toneOf={({ overridden }) => (overridden ? 'alarmed' : undefined)}
            columns={[
              {
                id: 'guard',
                title: 'Guard',
                cell: ({ guard, about, isOn }) => (
                  <>
                    <b>{titled(guard)}</b>
                    {!isOn && (
                      <>
                        {' '}
                        <Badge>not on</Badge>
                      </>
                    )}
                    <span class="guard-about muted">
                      <Text of={about} most={220} />
                    </span>
                  </>
                ),
              },
              {
                id: 'model',
                title: 'Model',
                extra: true,
                cell: ({ model }) => <Text of={model} most={28} />,
              },
              {
                id: 'threshold',
                title: 'Threshold',
                number: true,
                cell: ({ threshold }) =>
                  threshold === undefined ? <span class="none">none</span> : figure(threshold),
              },
              {
                id: 'action',
                title: 'Then',
                cell: ({ action, overridden, isOn }) => (
                  <>
                    {!isOn ? (
                      <span class="none">nothing</span>
                    ) : action === undefined ? (
                      <span class="muted">decides itself</span>
                    ) : (
                      titled(action)
                    )}
                    {overridden && (
                      <>
                        {' '}
                        <Badge tone="changed">made stricter</Badge>
                      </>
                    )}
                  </>
                ),
              },
              {
                id: 'raise',
                title: <span class="unseen">Make it stricter</span>,
                cell: ({ model, guard, isOn }) =>
                  isOn && (
                    <TakeMeasure
                      small
                      title="Raise"
                      describes={`${guard} of ${model}`}
                      about={{ measure: 'guard', who: 'everybody', model, guard }}
                    />
                  ),
              },
              {
                id: 'what-if',
                title: <span class="unseen">Try another threshold</span>,
                cell: ({ model, guard, threshold, action, isOn }) =>
                  threshold !== undefined &&
                  mayAsk && (
                    <Button
                      small
                      aria-label={plainText(
                        isOn
                          ? `What if ${guard} of ${model} had another threshold?`
                          : `What if ${guard} of ${model} were on?`,
                      )}
                      onPress={() => setSubject({ kind: 'guard', model, guard, threshold, action, isOn })}
                    >
                      What if …
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Card>
      {subject && <WhatIfDialog subject={subject} onClose={() => setSubject(undefined)} />}
    </>
  );
}

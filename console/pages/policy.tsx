import { useState } from 'preact/hooks';
import type { PolicyView } from '../../src/gateway/console/api.ts';
import { tell } from '../data/ask.ts';
import { touch, useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Badge } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search } from '../parts/field.tsx';
import { count, counted, figure, span, titled } from '../parts/format.ts';
import { Loaded } from '../parts/loading.tsx';
import { Raw } from '../parts/raw.tsx';
import { Table } from '../parts/table.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { Text } from '../parts/text.tsx';
import { confirm } from '../shell/confirm.tsx';
import type { PageProps } from '../shell/routes.ts';
import { said } from '../shell/toast.tsx';
import { Requirements } from './policy/requirements.tsx';
import { type Subject, WhatIfDialog } from './policy/what-if.tsx';

/** What is required and met; guards, budgets and rules in force. */
export default function PolicyPage(_: PageProps) {
  const view = useQuery<PolicyView>('/api/policy');
  const mayReload = useMay('policy.reload');
  return (
    <Loaded query={view} what="the policy" lines={8}>
      {(policy) => (
        <>
          <Head policy={policy} mayReload={mayReload} />
          <Tabs
            label="Parts of the policy"
            tabs={[
              { id: 'models', title: 'Models', body: () => <Requirements models={policy.models} /> },
              { id: 'guards', title: 'Guards', body: () => <Guards guards={policy.guards} /> },
              { id: 'limits', title: 'Budgets & rates', body: () => <Limits policy={policy} /> },
              { id: 'rights', title: 'Rights', body: () => <Rights rights={policy.rights} /> },
              { id: 'text', title: 'File', body: () => <File policy={policy} /> },
            ]}
          />
        </>
      )}
    </Loaded>
  );
}

function Head({ policy, mayReload }: { readonly policy: PolicyView; readonly mayReload: boolean }) {
  const isBad = ({ served, stage, requirements }: PolicyView['models'][number]) =>
    !served ||
    requirements.some(
      (each) =>
        (each.stage === undefined || each.stage === stage) &&
        (each.state === 'not-met' || each.state === 'missing'),
    );
  const bad = policy.models.filter(isBad).length;
  const bare = policy.models.filter(({ stage, requirements }) =>
    requirements
      .filter((each) => each.stage === undefined || each.stage === stage)
      .every(({ state }) => state === 'none'),
  ).length;
  const reload = async (): Promise<void> => {
    const given = await confirm({
      title: 'Read the configuration again?',
      action: 'Reload',
      children: (
        <p>
          Models, guards, answers and rights of the file as it is now go into force, all of it or nothing.
          Budgets, rates and addresses stay until a restart.
        </p>
      ),
    });
    if (given === undefined) return;
    await tell('/api/reload');
    touch('/api/policy', '/api/models', '/api/overview');
    said('The configuration was read again and is in force.');
  };
  return (
    <Opening
      chip={
        bad > 0
          ? `${counted(bad, 'model needs', 'models need')} a look`
          : policy.models.length === 0
            ? undefined
            : 'All that is required is met'
      }
      tone={bad > 0 ? 'changed' : 'held'}
      title="What is required, and met"
      side={
        mayReload && (
          <Button icon="refresh" onPress={reload}>
            Reload
          </Button>
        )
      }
    >
      {policy.models.length === 0
        ? 'No model is configured.'
        : bare > 0
          ? `${counted(bare, 'model is', 'models are')} served with nothing required of ${bare === 1 ? 'it' : 'them'}: sign, or ask for evidence at a stage.`
          : 'Each model shows evidence before it is opened. What is not admitted is not served.'}
    </Opening>
  );
}

function Guards({ guards }: { readonly guards: PolicyView['guards'] }) {
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
            label="Guards in force"
            rows={rows}
            keyOf={({ model, guard }) => `${model} ${guard}`}
            toneOf={({ overridden }) => (overridden ? 'alarmed' : undefined)}
            columns={[
              {
                id: 'guard',
                title: 'Guard',
                cell: ({ guard, about }) => (
                  <>
                    <b>{titled(guard)}</b>
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
                cell: ({ action, overridden }) => (
                  <>
                    {action === undefined ? <span class="muted">decides itself</span> : titled(action)}
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
                id: 'what-if',
                title: <span class="unseen">Try another threshold</span>,
                cell: ({ model, guard, threshold, action }) =>
                  threshold !== undefined &&
                  mayAsk && (
                    <Button
                      small
                      aria-label={`What if ${guard} of ${model} had another threshold?`}
                      onPress={() => setSubject({ kind: 'guard', model, guard, threshold, action })}
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

function Limits({ policy: { budgets, rates } }: { readonly policy: PolicyView }) {
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
          ]}
        />
      </Card>
      {subject && <WhatIfDialog subject={subject} onClose={() => setSubject(undefined)} />}
    </div>
  );
}

const SIDES = {
  public: ['Callers', 'Who may ask which model, and how much they are told.'],
  management: ['People here', 'Who may do what on the management side and in this console.'],
} as const;

function Rights({ rights }: { readonly rights: PolicyView['rights'] }) {
  return (
    <div class="columns">
      {rights.map(({ side, digest, policies, problem }) => (
        <Card key={side} title={SIDES[side][0]} lead={SIDES[side][1]} side={<Digest of={digest} />}>
          {problem !== undefined && (
            <p class="notice" role="alert">
              Newer rules are not in force: <Text of={problem} most={400} />
            </p>
          )}
          <ul class="rules">
            {policies.map(({ id, effect, text }) => (
              <li key={id}>
                <details>
                  <summary>
                    <Badge tone={effect === 'permit' ? 'held' : 'changed'}>{titled(effect)}</Badge>{' '}
                    <Text of={id} />
                  </summary>
                  <pre>
                    <code>{text}</code>
                  </pre>
                </details>
              </li>
            ))}
          </ul>
        </Card>
      ))}
    </div>
  );
}

function File({ policy: { text, digest } }: { readonly policy: PolicyView }) {
  if (text === undefined)
    return (
      <Card>
        <Empty title="There is no configuration file" icon="policy">
          The gateway was started without one. <code>glacis serve --config glacis.yaml</code> takes one.
        </Empty>
      </Card>
    );
  return (
    <Card
      title="glacis.yaml"
      lead="As it lies there now; what is in force is on the other tabs."
      side={<Digest of={digest} />}
    >
      <Raw of={text} label="The configuration file" tall />
    </Card>
  );
}

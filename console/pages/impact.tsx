import { useState } from 'preact/hooks';
import type { Impact } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { useQuery } from '../data/query.ts';
import { StackedBar } from '../parts/bars.tsx';
import { DecisionTable } from '../parts/decision-table.tsx';
import { Digest } from '../parts/digest.tsx';
import { bytes, count, counted } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Loaded, Loading } from '../parts/loading.tsx';
import { Stat, Stats } from '../parts/stat.tsx';
import { Table } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';
import { Link, pathTo, usePlace } from '../shell/router.tsx';
import { AskForImpact } from './impact/ask-for-impact.tsx';
import { ScopeWords } from './impact/scope-words.tsx';

/** Which decisions were affected, what a good model would have said, and the bundle that proves it. */
export function ImpactView({ of }: { readonly of: Case }) {
  const { query } = usePlace();
  const id = query.get('impact') ?? undefined;
  return (
    <>
      <AskForImpact of={of} />
      {id !== undefined && <Shown id={id} />}
    </>
  );
}

function Shown({ id }: { readonly id: string }) {
  const [running, setRunning] = useState(true);
  const impact = useQuery<Impact>(`/api/impacts/${encodeURIComponent(id)}`, running ? { every: 1000 } : {});
  return (
    <Loaded query={impact} what="the impact" lines={5}>
      {(data) => {
        if ((data.state === 'running') !== running)
          queueMicrotask(() => setRunning(data.state === 'running'));
        return <Result of={data} />;
      }}
    </Loaded>
  );
}

function Result({ of }: { readonly of: Impact }) {
  if (of.state === 'failed') {
    return (
      <p class="problem" role="alert">
        It could not be found out: <Text of={of.because} most={300} />
      </p>
    );
  }
  const now = new Map(of.rows.flatMap((row) => (row.now === undefined ? [] : [[row.id, row.now] as const])));
  return (
    <div class="impact" aria-live="polite">
      <p class="muted">
        <ScopeWords of={of.scope} against={of.against} />
      </p>
      <Stats>
        <Stat value={count(of.looked)} what="decisions looked at" />
        <Stat value={count(of.affected)} what="affected" tone={of.affected > 0 ? 'changed' : undefined} />
        {of.against !== undefined && (
          <Stat
            value={count(of.different)}
            what="would be different"
            tone={of.different > 0 ? 'changed' : 'held'}
            note={`of ${count(of.replayed)} replayed`}
          />
        )}
        {of.against !== undefined && of.unkept !== undefined && of.unkept > 0 && (
          <Stat value={count(of.unkept)} what="could not be replayed" note="their inputs were not kept" />
        )}
      </Stats>
      {of.state === 'running' ? (
        <Loading what="the impact: still looking" lines={3} />
      ) : (
        <>
          <StackedBar
            label="Decisions"
            parts={[
              { name: 'would be different', value: of.different, tone: 'changed' },
              {
                name: of.against === undefined ? 'affected' : 'the same',
                value: of.affected - of.different,
                tone: 'warn',
              },
              { name: 'not affected', value: of.looked - of.affected, tone: 'rest' },
            ]}
          />
          {of.bundle !== undefined && (
            <p class="bundle">
              <a
                class="button"
                href={`/api/impacts/${encodeURIComponent(of.id)}/bundle`}
                download={`glacis-${of.id}.zip`}
              >
                <Icon name="download" size={17} /> The evidence, signed ({bytes(of.bundle.bytes)})
              </a>
              <span class="muted small">
                It verifies without this gateway: <code>glacis incident verify</code>.{' '}
                <Digest of={of.bundle.digest} />
              </span>
            </p>
          )}
          {of.principals.length > 0 && (
            <>
              <h3>Whom it concerns</h3>
              <Table
                label="Clients concerned"
                rows={of.principals.slice(0, 100)}
                keyOf={({ principal }) => principal}
                columns={[
                  {
                    id: 'who',
                    title: 'Client',
                    cell: (row) => (
                      <Link to={pathTo('traffic', row.principal)}>
                        <Text of={row.principal} most={40} />
                      </Link>
                    ),
                  },
                  { id: 'n', title: 'Decisions', number: true, cell: (row) => count(row.decisions) },
                  ...(of.against === undefined
                    ? []
                    : [
                        {
                          id: 'd',
                          title: 'Different',
                          number: true,
                          cell: (row: Impact['principals'][number]) => count(row.different),
                        },
                      ]),
                ]}
              />
            </>
          )}
          {of.rows.length > 0 && (
            <>
              <h3>
                {of.rows.length < of.affected
                  ? `${counted(of.rows.length, 'decision')} of them`
                  : 'The decisions'}
              </h3>
              <DecisionTable
                rows={of.rows}
                label="Affected decisions"
                {...(of.against === undefined ? {} : { now })}
              />
            </>
          )}
        </>
      )}
    </div>
  );
}

import type { Monitors, Overview } from '../../src/gateway/console/api.ts';
import { pathOf, useQuery } from '../data/query.ts';
import { Filters, Select } from '../parts/field.tsx';
import { Loaded } from '../parts/loading.tsx';
import { setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { Alarms } from './drift/alarms.tsx';
import { MonitorCard } from './drift/monitor-card.tsx';
import { NotYet } from './drift/not-yet.tsx';
import { Samples } from './drift/samples.tsx';
import { Verdict } from './drift/verdict.tsx';

/** How each monitor stands, what moved, and what the inputs look like. */
export default function DriftPage({ query }: PageProps) {
  const { data: overview } = useQuery<Overview>('/api/overview');
  const models = overview?.models.map(({ model }) => model) ?? [];
  const model = query.get('model') ?? models[0] ?? '';
  const monitors = useQuery<Monitors>(
    model === '' && overview === undefined ? undefined : pathOf('/api/monitors', { model }),
    { every: 20_000 },
  );
  return (
    <Loaded query={monitors} what="the monitors" lines={8}>
      {(data) => (
        <>
          <Verdict states={data.states} model={model} />
          {models.length > 1 && (
            <Filters>
              <Select
                label="Model"
                value={model}
                options={models.map((each) => [each, each] as const)}
                onChange={(next) => setQuery({ model: next })}
              />
            </Filters>
          )}
          {data.states
            .filter(({ phase }) => phase === 'alarmed')
            .map((state) => (
              <MonitorCard key={state.monitor} of={state} />
            ))}
          <div class="columns">
            {data.states
              .filter(({ phase }) => phase === 'watching')
              .map((state) => (
                <MonitorCard key={state.monitor} of={state} />
              ))}
          </div>
          <NotYet states={data.states.filter(({ phase }) => phase === 'learning' || phase === 'blind')} />
          <Samples of={data} />
          <Alarms model={model} />
        </>
      )}
    </Loaded>
  );
}

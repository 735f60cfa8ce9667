import { useEffect, useState } from 'preact/hooks';
import type { Overview, Traffic } from '../../src/gateway/console/api.ts';
import { pathOf, useQuery } from '../data/query.ts';
import { Filters, Select } from '../parts/field.tsx';
import { Loaded } from '../parts/loading.tsx';
import { setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { ClientPage } from './client.tsx';
import { Clients } from './traffic/clients.tsx';
import { Course } from './traffic/course.tsx';
import { LiveCalls } from './traffic/live-calls.tsx';
import { Now } from './traffic/now.tsx';

const HOUR = 3_600_000;
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR } as const;
type SpanName = keyof typeof SPANS;

/** What comes and what becomes of it, as it happens; below it who asks. With a name after it: one client. */
export default function TrafficPage({ rest, query }: PageProps) {
  const id = rest[0] ?? query.get('client');
  return id === undefined || id === null ? <Whole query={query} /> : <ClientPage id={id} />;
}

function Whole({ query }: { readonly query: URLSearchParams }) {
  const model = query.get('model') ?? '';
  const chosen = (query.get('span') ?? 'hour') as SpanName;
  const name: SpanName = chosen in SPANS ? chosen : 'hour';
  const { data: overview } = useQuery<Overview>('/api/overview');
  const from = useRounded(SPANS[name]);
  const traffic = useQuery<Traffic>(pathOf('/api/traffic', { model, from }), { every: 15_000 });
  return (
    <>
      <Now model={model} />
      <Filters>
        <Select
          label="Model"
          value={model}
          options={[
            ['', 'all'],
            ...(overview?.models ?? []).map((each) => [each.model, each.model] as const),
          ]}
          onChange={(next) => setQuery({ model: next })}
        />
        <fieldset class="segments">
          <legend class="unseen">Span</legend>
          {(Object.keys(SPANS) as SpanName[]).map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={each === name}
              onClick={() => setQuery({ span: each === 'hour' ? undefined : each })}
            >
              Last {each}
            </button>
          ))}
        </fieldset>
      </Filters>
      <Loaded query={traffic} what="traffic" lines={7}>
        {(data) => <Course of={data} />}
      </Loaded>
      <LiveCalls model={model} />
      <Clients query={query} model={model} />
    </>
  );
}

/** A beginning that stays the same for a while, so that the question does, too. */
function useRounded(length: number): number {
  const step = length / 240;
  const round = () => Math.floor((Date.now() - length) / step) * step;
  const [from, setFrom] = useState(round);
  useEffect(() => {
    setFrom(round());
    const timer = setInterval(() => setFrom(round()), Math.max(15_000, step));
    return () => clearInterval(timer);
  }, [length]);
  return Math.round(from);
}

import { useState } from 'preact/hooks';
import type { ModelStatus } from '../../../src/gateway/backend/model-status.ts';
import type { Impact } from '../../../src/gateway/console/api.ts';
import type { Case } from '../../../src/incident/case.ts';
import { tell } from '../../data/ask.ts';
import { touch, useQuery } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { Line, Select } from '../../parts/field.tsx';
import { setQuery } from '../../shell/router.tsx';
import { draftOf, type ImpactDraft, scopeOf } from './impact-draft.ts';

/** What to look for in the past, and by which version it is replayed. */
export function AskForImpact({ of }: { readonly of: Case }) {
  const [mayAct, mayRead] = [useMay('incident.act'), useMay('log.read')];
  const [draft, setDraft] = useState(() => draftOf(of));
  const [against, setAgainst] = useState('');
  const { data } = useQuery<{ readonly models: readonly ModelStatus[] }>('/api/models');
  if (!mayAct && !mayRead) return null;
  const set = (changes: Partial<ImpactDraft>): void => setDraft({ ...draft, ...changes });
  const names = [...new Set([...of.models, ...(data?.models.map(({ model }) => model) ?? [])])];
  const versions = data?.models.find((each) => each.model === draft.model)?.versions ?? [];
  const scope = scopeOf(draft, of);
  const start = async (): Promise<void> => {
    const made = await tell<Impact>(`/api/cases/${encodeURIComponent(of.id)}/impact`, {
      scope,
      ...(against === '' ? {} : { against }),
    });
    setQuery({ impact: made.id });
    touch('/api/cases');
  };
  return (
    <div class="impact-ask">
      <p class="muted">
        Which decisions were affected? It begins with the client, the model and the time of the case; all that
        is said must hold. Replayed against a version that is good, it is known which would have been
        different. The log of this gateway is searched: others of the same store have their own.
      </p>
      <div class="columns tight">
        <Line
          label="Client"
          note="empty: everybody"
          value={draft.principal}
          most={256}
          onInput={(principal) => set({ principal })}
        />
        <Select
          stacked
          label="Model"
          value={draft.model}
          options={[['', 'all'] as const, ...names.map((each) => [each, each] as const)]}
          onChange={(model) => {
            set({ model, version: '' });
            setAgainst('');
          }}
        />
      </div>
      <div class="columns tight">
        <Moment label="From" value={draft.from} onInput={(from) => set({ from })} />
        <Moment label="To" value={draft.to} onInput={(to) => set({ to })} />
      </div>
      <details>
        <summary>By version, tenant, feed, file or data</summary>
        <div class="columns tight">
          <Select
            stacked
            label="Version that answered"
            value={draft.version}
            options={[
              ['', 'any'] as const,
              ...versions.map(({ version }) => [version, `version ${version}`] as const),
            ]}
            onChange={(version) => set({ version })}
          />
          <Line
            label="Tenant"
            note="its name"
            value={draft.tenant}
            most={256}
            onInput={(tenant) => set({ tenant })}
          />
        </div>
        <Line
          label="Feed"
          note="one that was poisoned, as the guard feeds names it"
          value={draft.feed}
          most={256}
          onInput={(feed) => set({ feed })}
        />
        <Line
          label="File that answered"
          note="digest of a version, also one that is gone"
          value={draft.digest}
          most={80}
          onInput={(digest) => set({ digest })}
        />
        <Line
          label="Trained on"
          note="digest of data: all versions whose evidence names it"
          value={draft.data}
          most={80}
          onInput={(data) => set({ data })}
        />
      </details>
      {typeof scope === 'string' && (
        <p class="problem-line" role="status">
          {scope}
        </p>
      )}
      <div class="filters">
        <Select
          label="Replayed by"
          value={against}
          options={[['', 'none'], ...versions.map(({ version }) => [version, `version ${version}`] as const)]}
          onChange={setAgainst}
        />
        <Button tone="main" icon="search" disabled={typeof scope === 'string'} onPress={start}>
          Find out
        </Button>
      </div>
    </div>
  );
}

function Moment({
  label,
  value,
  onInput,
}: {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>
        {label} <span class="muted light">your time; empty: without an end</span>
      </span>
      <input type="datetime-local" value={value} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}

import { useState } from 'preact/hooks';
import type { CaseOpening, OpenedCase, Overview } from '../../../src/gateway/console/api.ts';
import type { AlarmKind, AlarmSeverity } from '../../../src/monitor/alarm.ts';
import { tell } from '../../data/ask.ts';
import { touch, useQuery } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Line, Select } from '../../parts/field.tsx';
import { Segments } from '../../parts/segments.tsx';
import { openOurs } from '../../shell/new-cases.ts';
import { go, pathTo } from '../../shell/router.tsx';
import { failed, said } from '../../shell/toast.tsx';

const KINDS = [
  { value: 'attack', title: 'Somebody’s doing' },
  { value: 'drift', title: 'A change of the world' },
  { value: 'fault', title: 'A fault of ours' },
] as const satisfies readonly { readonly value: AlarmKind; readonly title: string }[];

const SEVERITIES = [
  ['critical', 'critical'],
  ['high', 'high'],
  ['medium', 'medium'],
  ['low', 'low'],
] as const satisfies readonly (readonly [AlarmSeverity, string])[];

/** What is known where the case is opened. */
type About = Pick<CaseOpening, 'model' | 'principals' | 'decisions' | 'first' | 'last'>;

/** A button, for who may, that opens a case by hand and leads to it. */
export function OpenCase({
  about = {},
  tone = 'plain',
}: {
  readonly about?: About;
  readonly tone?: 'plain' | 'main';
}) {
  const may = useMay('incident.open');
  const [asking, setAsking] = useState(false);
  if (!may) return null;
  return (
    <>
      <Button icon="plus" tone={tone} onPress={() => setAsking(true)}>
        Open a case
      </Button>
      {asking && <Opening about={about} onClose={() => setAsking(false)} />}
    </>
  );
}

function Opening({ about, onClose }: { readonly about: About; readonly onClose: () => void }) {
  const { data } = useQuery<Overview>('/api/overview', { lasting: true });
  const [title, setTitle] = useState('');
  const [why, setWhy] = useState('');
  const [kind, setKind] = useState<AlarmKind>('attack');
  const [severity, setSeverity] = useState<AlarmSeverity>('medium');
  const [model, setModel] = useState(about.model ?? '');
  const [clients, setClients] = useState((about.principals ?? []).join(', '));
  const [busy, setBusy] = useState(false);
  const principals = clients
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const isReady = title.trim() !== '' && (model !== '' || principals.length > 0);
  const open = async (): Promise<void> => {
    setBusy(true);
    try {
      const wish: CaseOpening = {
        ...{ title: title.trim(), kind, severity, principals },
        ...(why.trim() !== '' && { why: why.trim() }),
        ...(model !== '' && { model }),
        ...(about.decisions && { decisions: about.decisions }),
        ...(about.first !== undefined && { first: about.first }),
        ...(about.last !== undefined && { last: about.last }),
      };
      const opened = await openOurs(wish.title, () => tell<OpenedCase>('/api/cases', wish));
      touch('/api/cases', '/api/overview', '/api/clients');
      onClose();
      said(
        opened.isNew
          ? `Opened: ${opened.id}.`
          : `There is an open case about the same already: ${opened.id}. What you wrote is in it.`,
      );
      go(pathTo('cases', opened.id));
    } catch (thrown) {
      failed(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Open a case" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !busy) void open();
        }}
      >
        <Line label="What happened" note="in a few words" value={title} most={300} onInput={setTitle} />
        <label class="field">
          <span>
            What you know <span class="muted light">optional; it goes into the log</span>
          </span>
          <textarea
            rows={3}
            maxLength={4000}
            value={why}
            onInput={(event) => setWhy(event.currentTarget.value)}
          />
        </label>
        <Segments label="It looks like" value={kind} options={KINDS} onChange={setKind} />
        <div class="columns tight">
          <Select
            stacked
            label="How bad"
            value={severity}
            options={SEVERITIES}
            onChange={(next) => setSeverity(next as AlarmSeverity)}
          />
          <Select
            stacked
            label="Model"
            value={model}
            options={[
              ['', 'none in particular'] as const,
              ...[...new Set([...(data?.models.map((each) => each.model) ?? []), model])]
                .filter((each) => each !== '')
                .map((each) => [each, each] as const),
            ]}
            onChange={setModel}
          />
        </div>
        <Line
          label="Clients"
          note="names with commas; a model or a client is needed"
          value={clients}
          most={4000}
          onInput={setClients}
        />
        {about.decisions && about.decisions.length > 0 && (
          <p class="muted small">The call that you came from is its evidence.</p>
        )}
        <div class="actions end">
          <Button onPress={onClose}>Cancel</Button>
          <button type="submit" class="button main" disabled={!isReady || busy}>
            Open the case
          </button>
        </div>
      </form>
    </Dialog>
  );
}

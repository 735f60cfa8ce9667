import { useEffect, useRef, useState } from 'preact/hooks';
import type { WhatIf, WhatIfChange } from '../../../src/gateway/console/api.ts';
import { ask, tell } from '../../data/ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Meter } from '../../parts/bars.tsx';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Select } from '../../parts/field.tsx';
import { count, counted, figure, titled } from '../../parts/format.ts';
import { Sparkline } from '../../parts/sparkline.tsx';
import { Table } from '../../parts/table.tsx';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';

/** What is asked about: a guard's threshold of one model, a budget, or a rate. */
export type Subject =
  | {
      readonly kind: 'guard';
      readonly model: string;
      readonly guard: string;
      readonly threshold: number;
      readonly action: string | undefined;
      /** False of a guard that is not on: the threshold is the one that it would have. */
      readonly isOn: boolean;
    }
  | {
      readonly kind: 'budget';
      readonly per: 'principal' | 'tenant' | 'model';
      readonly queries: number;
      readonly window: number;
    }
  | {
      readonly kind: 'rate';
      readonly per: 'principal' | 'tenant' | 'address' | 'all';
      readonly most: number;
      readonly counts: 'requests' | 'samples';
      /** Milliseconds. */
      readonly every: number;
    };

const SPANS = { day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 } as const;
/** Milliseconds between two looks. */
const LOOK = 500;
/** Positions of the slider on each side of what is in force. */
const STEPS = 40;

/** Another threshold or budget, tried on past traffic before it goes live. */
export function WhatIfDialog({
  subject,
  onClose,
}: {
  readonly subject: Subject;
  readonly onClose: () => void;
}) {
  const isGuard = subject.kind === 'guard';
  const now = presentOf(subject);
  const [position, setPosition] = useState(0);
  const [action, setAction] = useState(isGuard ? (subject.action ?? 'flag') : 'flag');
  const [span, setSpan] = useState<keyof typeof SPANS>('week');
  const [found, setFound] = useState<WhatIf | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const latest = useRef(0);
  useEffect(
    () => () => {
      latest.current = -1;
    },
    [],
  );
  const value = valueAt(now, position, isGuard);
  const run = async (): Promise<void> => {
    const mine = ++latest.current;
    setProblem(undefined);
    setFound(undefined);
    const to = Date.now();
    const change = changeOf(subject, value, action as 'flag' | 'degrade' | 'refuse');
    try {
      let state = await tell<WhatIf>('/api/what-if', {
        ...(isGuard && { model: subject.model }),
        ...{ from: to - SPANS[span], to, change },
      });
      while (latest.current === mine) {
        setFound(state);
        if (state.state !== 'running') break;
        await new Promise((resolve) => setTimeout(resolve, LOOK));
        state = await ask<WhatIf>(`/api/what-if/${encodeURIComponent(state.id)}`);
      }
      if (state.state === 'failed') setProblem(state.because ?? 'The replay failed.');
    } catch (thrown) {
      if (latest.current === mine) setProblem(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return (
    <Dialog
      title={
        isGuard ? (
          <>
            What if {titled(subject.guard)} were{' '}
            {!subject.isOn ? 'on' : position < 0 ? 'stricter' : position > 0 ? 'milder' : 'as it is'}?
          </>
        ) : (
          <>What if the {subject.kind} were another?</>
        )
      }
      onClose={onClose}
    >
      <div class="what-if">
        <p class="muted">
          {isGuard && !subject.isOn
            ? 'The guard is shown past traffic, as far as its inputs were kept.'
            : `Past traffic is gone through again with the other ${isGuard ? 'threshold' : subject.kind}.`}{' '}
          Nothing changes for anybody.
        </p>
        <label class="field">
          <span>
            {valueName(subject)}: {isGuard ? figure(value) : count(value)}{' '}
            <span class="muted">
              ({isGuard && !subject.isOn ? 'calibrated' : 'now'} {isGuard ? figure(now) : count(now)})
            </span>
          </span>
          <input
            type="range"
            min={-STEPS}
            max={STEPS}
            step={1}
            value={position}
            aria-valuetext={isGuard ? figure(value) : count(value)}
            onInput={(event) => setPosition(Number(event.currentTarget.value))}
          />
        </label>
        <div class="filters">
          {isGuard && (
            <Select
              label="Above it"
              value={action}
              options={[
                ['flag', 'flag'],
                ['degrade', 'tell the class alone'],
                ['refuse', 'refuse'],
              ]}
              onChange={setAction}
            />
          )}
          <Select
            label="On the traffic of"
            value={span}
            options={[
              ['day', 'the last day'],
              ['week', 'the last week'],
              ['month', 'the last 30 days'],
            ]}
            onChange={(next) => setSpan(next as keyof typeof SPANS)}
          />
          <Button tone="main" disabled={found?.state === 'running'} onPress={run}>
            Replay
          </Button>
        </div>
        {problem !== undefined && (
          <p class="notice" role="alert">
            <Text of={problem} most={300} />
          </p>
        )}
        {found && problem === undefined && <Found of={found} />}
      </div>
    </Dialog>
  );
}

function valueName(subject: Subject): string {
  if (subject.kind === 'rate') return titled(subject.counts);
  return subject.kind === 'guard' ? 'Threshold' : 'Queries';
}

function presentOf(subject: Subject): number {
  if (subject.kind === 'guard') return subject.threshold;
  return subject.kind === 'budget' ? subject.queries : subject.most;
}

function changeOf(subject: Subject, value: number, action: 'flag' | 'degrade' | 'refuse'): WhatIfChange {
  if (subject.kind === 'guard') return { kind: 'guard', guard: subject.guard, threshold: value, action };
  return subject.kind === 'budget'
    ? { kind: 'budget', per: subject.per, queries: value, window: subject.window }
    : { kind: 'rate', per: subject.per, [subject.counts]: value, every: subject.every };
}

function Found({
  of: {
    state,
    looked,
    unseen = 0,
    lookedAgain = 0,
    changed,
    principals,
    days,
    caveats = [],
    progress = [0, 1],
  },
}: {
  readonly of: WhatIf;
}) {
  const calls = changed.reduce((sum, each) => sum + each.calls, 0);
  const met = principals.filter((each) => each.changed > 0);
  const innocent = met.filter(({ inCases }) => !inCases).length;
  return (
    <div class="stackup" aria-live="polite">
      <p>
        {state === 'running' ? 'So far' : 'Of'} {counted(looked, 'call')},{' '}
        <b>{calls === 0 ? 'none' : count(calls)}</b> would have ended otherwise
        {met.length > 0 && <> of {counted(met.length, 'caller')}</>}.{' '}
        {met.length > 0 &&
          (innocent === 0
            ? 'All of these are in a case.'
            : `${counted(innocent, 'of these is', 'of these are')} in no case: look at them first.`)}
      </p>
      {lookedAgain > 0 && (
        <p class="muted">
          {lookedAgain === looked ? 'All of them' : counted(lookedAgain, 'of them was', 'of them were')} put
          to the guard now: it had not looked at them then.
        </p>
      )}
      {unseen > 0 && (
        <p class="problem-line">
          Of {counted(unseen, 'further call')} nothing can be said: the guard did not look at them then, and
          could not be shown them now.
        </p>
      )}
      {state === 'running' && (
        <Meter value={progress[0] / Math.max(1, progress[1])} label="How far the replay is" />
      )}
      {caveats.map((caveat) => (
        <p class="muted small" key={caveat}>
          <Text of={caveat} most={500} />
        </p>
      ))}
      {changed.length > 0 && (
        <Table
          label="What would have become of calls"
          rows={changed}
          keyOf={({ from, to }) => `${from} ${to}`}
          columns={[
            { id: 'from', title: 'Then', cell: ({ from }) => <Text of={titled(from)} /> },
            { id: 'to', title: 'With the change', cell: ({ to }) => <Text of={titled(to)} /> },
            { id: 'calls', title: 'Calls', number: true, cell: ({ calls: n }) => count(n) },
            {
              id: 'samples',
              title: 'Samples',
              number: true,
              extra: true,
              cell: ({ samples }) => count(samples),
            },
          ]}
        />
      )}
      {days.length > 1 && calls > 0 && (
        <Sparkline label="Changed calls a day" values={days.map(([, n]) => n)} tone="changed" />
      )}
      {met.length > 0 && (
        <Table
          label="Whom it would have met"
          rows={met.slice(0, 20)}
          keyOf={({ principal }) => principal}
          columns={[
            {
              id: 'principal',
              title: 'Caller',
              cell: ({ principal }) => (
                <Link to={pathTo('traffic', principal)}>
                  <Text of={principal} most={32} />
                </Link>
              ),
            },
            { id: 'changed', title: 'Changed', number: true, cell: ({ changed: n }) => count(n) },
            { id: 'calls', title: 'Of', number: true, cell: ({ calls: n }) => count(n) },
            {
              id: 'case',
              title: 'Known',
              cell: ({ inCases }) =>
                inCases ? <Badge tone="changed">in a case</Badge> : <span class="muted">not in a case</span>,
            },
          ]}
        />
      )}
      {state === 'done' && calls === 0 && looked === 0 && unseen > 0 && (
        <Empty title="Nothing can be said" icon="shield">
          This guard looked at none of these calls, and could not be shown them now. Put it on with “action:
          flag”, which changes no answer, and ask again after some days.
        </Empty>
      )}
      {state === 'done' && calls === 0 && !(looked === 0 && unseen > 0) && (
        <Empty title="Nobody would have noticed" icon="shield">
          On this traffic it makes no difference. Move the slider, or look further back.
        </Empty>
      )}
    </div>
  );
}

/** The value at a position: half of it at the left end, and twice at the right; below zero the threshold moves by its size. */
function valueAt(now: number, position: number, isGuard: boolean): number {
  if (position === 0) return now;
  if (!isGuard) return Math.max(1, Math.round(now * 4 ** (position / STEPS)));
  const size = Math.abs(now) || 1;
  const moved = now + size * (position < 0 ? position / STEPS / 1.25 : position / STEPS);
  return Number(moved.toPrecision(4));
}

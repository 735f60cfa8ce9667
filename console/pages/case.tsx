import { useState } from 'preact/hooks';
import type { CaseDetail } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { CaseStateBadge, KindBadge, Severity } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Who } from '../parts/case-row.tsx';
import { BY_HAND, CaseTimeline } from '../parts/case-timeline.tsx';
import { counted, span } from '../parts/format.ts';
import { Loaded } from '../parts/loading.tsx';
import { Measures } from '../parts/measures.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { TakeMeasure } from '../parts/take-measure/take-measure.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { confirm } from '../shell/confirm.tsx';
import { Link } from '../shell/router.tsx';
import { Asks, Suggestions } from './case-acts.tsx';
import { change } from './case-change.ts';
import { CloseDialog } from './case-close.tsx';
import { Evidence } from './case-evidence.tsx';
import { FiguresOf, WhoAndWhat } from './case-facts.tsx';
import { ImpactView } from './impact.tsx';

/** One case: what happened, to whom it is laid, what can be done, what was done, and what it affected. */
export function CasePage({ id }: { readonly id: string }) {
  const detail = useQuery<CaseDetail>(`/api/cases/${encodeURIComponent(id)}`);
  return (
    <>
      <p class="way-back">
        <Link to="/cases">Cases</Link>
      </p>
      <Loaded query={detail} what="the case" lines={9}>
        {(data) => <Whole of={data} />}
      </Loaded>
    </>
  );
}

function Whole({ of }: { readonly of: CaseDetail }) {
  const { case: it, alarms, orders, events, suggestions, decisions } = of;
  const inForce = orders.filter(({ ended }) => ended === undefined);
  const newest = alarms.toSorted((a, b) => b.at - a.at)[0];
  return (
    <>
      <Opening
        chip={it.state === 'closed' ? 'Closed' : it.state === 'contained' ? 'Contained' : 'Needs you'}
        tone={it.state === 'closed' ? 'rest' : it.state === 'contained' ? 'held' : 'changed'}
        title={<Text of={it.title} most={140} />}
        side={<StateActions of={it} />}
      >
        <p>
          {storyOf(it)} <span class="whole">{it.id}</span>
        </p>
        <p class="case-badges">
          <Severity of={it.severity} /> <KindBadge of={it.kind} />
          {(it.state === 'working' || it.state === 'closed') && <CaseStateBadge of={it} />}
        </p>
      </Opening>
      <Asks of={of} />
      <div class="columns wide-left">
        <div class="stackup">
          <Card
            title="What happened"
            lead={newest && newest.why !== '' && <Text of={newest.why} most={1200} />}
          >
            {newest &&
              (newest.monitor !== BY_HAND ? (
                <FiguresOf of={newest.figures} score={newest.score} threshold={newest.threshold} />
              ) : (
                newest.why === '' && <p class="muted">Whoever opened it wrote no more than its title.</p>
              ))}
          </Card>
          {suggestions.length > 0 && <Suggestions of={it} suggestions={suggestions} />}
        </div>
        <div class="stackup">
          <WhoAndWhat of={it} alarms={alarms} />
          {it.state !== 'closed' && (
            <Card title="Measures in force" {...(inForce.length > 0 ? { tone: 'held' as const } : {})}>
              {inForce.length === 0 ? (
                <p class="muted">None yet. Whoever it is goes on.</p>
              ) : (
                <Measures orders={inForce} withCase={false} />
              )}
              <div class="actions">
                <TakeMeasure
                  about={{
                    case: it.id,
                    because: it.title,
                    ...(it.principals[0] !== undefined && { name: it.principals[0] }),
                    ...(it.models[0] !== undefined && { model: it.models[0] }),
                    ...(it.principals.length === 0 && { measure: 'verify', who: 'everybody' }),
                  }}
                />
              </div>
            </Card>
          )}
        </div>
      </div>
      <Card>
        <Tabs
          label="Parts of the case"
          tabs={[
            {
              id: 'timeline',
              title: `Timeline (${events.length})`,
              body: () => (
                <>
                  <CaseTimeline events={events} orders={orders} />
                  {it.state !== 'closed' && <Comment of={it} />}
                </>
              ),
            },
            {
              id: 'evidence',
              title: `Evidence (${decisions.length})`,
              body: () => <Evidence of={it} events={events} decisions={decisions} />,
            },
            { id: 'impact', title: 'What was affected', body: () => <ImpactView of={it} /> },
          ]}
        />
      </Card>
    </>
  );
}

/** What happened, in a sentence. */
function storyOf(it: Case) {
  const when = (
    <>
      within {span(it.last - it.first)}, the last <Time at={it.last} />
    </>
  );
  const model =
    it.models[0] === undefined ? null : (
      <>
        {' '}
        on{' '}
        <b>
          <Text of={it.models[0]} most={40} />
        </b>
      </>
    );
  if (it.queries === 0)
    return (
      <>
        A person opened it, about <Who of={it.principals} />
        {model}, <Time at={it.last} />. No query is named.
      </>
    );
  if (it.kind === 'attack')
    return (
      <>
        <Who of={it.principals} /> asked {counted(it.queries, 'query', 'queries')}
        {model}, {when}. It looks like somebody’s doing.
      </>
    );
  if (it.kind === 'drift')
    return (
      <>
        {counted(it.queries, 'query', 'queries')}
        {model} differ from what was usual, {when}. It looks like a change of the world.
      </>
    );
  return (
    <>
      A part of the system itself did not work{model}, {when}.
    </>
  );
}

function StateActions({ of }: { readonly of: Case }) {
  const [mayAct, mayClose] = [useMay('incident.act'), useMay('incident.close')];
  const [closing, setClosing] = useState(false);
  if (of.state === 'closed') {
    return mayAct ? (
      <Button
        onPress={async () => {
          const go = await confirm({
            title: 'Open the case again?',
            children: <p>It goes back to “in work”. What was done stays done.</p>,
            action: 'Open again',
          });
          if (go !== undefined)
            await change(of, 'state', { state: 'working', revision: of.revision }, 'The case is open again.');
        }}
      >
        Open again
      </Button>
    ) : null;
  }
  return (
    <div class="actions">
      {mayAct && of.state === 'open' && (
        <Button onPress={() => change(of, 'state', { state: 'working', revision: of.revision }, 'In work.')}>
          Work on it
        </Button>
      )}
      {mayAct && of.state === 'working' && of.containedAfter !== undefined && (
        <Button
          onPress={() => change(of, 'state', { state: 'contained', revision: of.revision }, 'Contained.')}
        >
          It is contained
        </Button>
      )}
      {mayClose && (
        <Button icon="done" onPress={() => setClosing(true)}>
          Close
        </Button>
      )}
      {closing && (
        <CloseDialog
          of={of}
          onClose={() => setClosing(false)}
          onChoose={async (verdict) => {
            setClosing(false);
            await change(
              of,
              'state',
              { state: 'closed', verdict, revision: of.revision },
              'The case is closed.',
            );
          }}
        />
      )}
    </div>
  );
}

function Comment({ of }: { readonly of: Case }) {
  const [text, setText] = useState('');
  const [mayAct, mayClose] = [useMay('incident.act'), useMay('incident.close')];
  if (!mayAct && !mayClose) return null;
  return (
    <div class="comment">
      <label class="field">
        <span>A comment</span>
        <textarea
          rows={3}
          maxLength={4000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="actions">
        <Button
          icon="comment"
          disabled={text.trim() === ''}
          onPress={async () => {
            await change(of, 'comment', { text: text.trim() }, 'Written down.');
            setText('');
          }}
        >
          Write it down
        </Button>
      </div>
    </div>
  );
}

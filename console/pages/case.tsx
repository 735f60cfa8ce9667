import { useState } from 'preact/hooks';
import type { CaseDetail, Suggestion } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { AskError, tell } from '../data/ask.ts';
import { touch, useQuery } from '../data/query.ts';
import { session, useMay } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { CaseStateBadge, KindBadge, Severity } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Who } from '../parts/case-row.tsx';
import { CaseTimeline, openAsks } from '../parts/case-timeline.tsx';
import { DecisionTable } from '../parts/decision-table.tsx';
import { Empty } from '../parts/empty.tsx';
import { Facts } from '../parts/field.tsx';
import { count, counted, exact, figure, span, worded } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Loaded } from '../parts/loading.tsx';
import { MeasureSentence } from '../parts/measure-words.tsx';
import { askAndOrder, Measures } from '../parts/measures.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { confirm } from '../shell/confirm.tsx';
import { Link, pathTo } from '../shell/router.tsx';
import { said } from '../shell/toast.tsx';
import { CloseDialog } from './case-close.tsx';
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

/** Changes a case as it was seen: who was second is told so and sees the new one. */
async function change(
  of: Case,
  what: string,
  body: Readonly<Record<string, unknown>>,
  words: string,
): Promise<void> {
  try {
    await tell(`/api/cases/${encodeURIComponent(of.id)}/${what}`, body);
    said(words);
  } catch (thrown) {
    if (thrown instanceof AskError && thrown.status === 409)
      throw new AskError(
        409,
        'Somebody else changed this case a moment ago. It is shown as it is now: look again, then decide.',
      );
    throw thrown;
  } finally {
    touch('/api/cases', '/api/overview', '/api/orders');
  }
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
          {storyOf(it)} <span class="muted">{it.id}</span>
        </p>
        <p class="case-badges">
          <Severity of={it.severity} /> <KindBadge of={it.kind} /> <CaseStateBadge of={it} />
        </p>
      </Opening>
      <Asks of={of} />
      <div class="columns wide-left">
        <Card title="What happened" lead={newest && <Text of={newest.why} most={1200} />}>
          {newest && <FiguresOf of={newest.figures} score={newest.score} threshold={newest.threshold} />}
        </Card>
        <Card title="Who and what">
          <Facts
            of={[
              [
                'Clients',
                it.principals.length === 0 ? (
                  <span class="none">nobody in particular</span>
                ) : (
                  <Clients of={it.principals} />
                ),
              ],
              [
                'Models',
                it.models.map((model) => (
                  <Link key={model} to={pathTo('models', model)} class="tag">
                    <Text of={model} most={40} />
                  </Link>
                )),
              ],
              ['Queries', `${count(it.queries)}, in ${span(it.last - it.first)}`],
              ['First', <Time key="f" at={it.first} />],
              ['Last', <Time key="l" at={it.last} />],
              [
                'Contained',
                it.containedAfter === undefined ? (
                  <span class="none">not yet</span>
                ) : (
                  `${span(it.containedAfter)} after the first query`
                ),
              ],
              ['Owner', <Owner key="o" of={it} />],
              it.atlas.length > 0 && [
                'ATLAS',
                it.atlas.map((id) => (
                  <a
                    key={id}
                    class="tag"
                    href={`https://atlas.mitre.org/techniques/${encodeURIComponent(id)}`}
                    target="_blank"
                    rel="noreferrer noopener"
                  >
                    {id}
                    <span class="unseen"> (opens another site)</span>
                  </a>
                )),
              ],
            ]}
          />
        </Card>
      </div>
      {(suggestions.length > 0 || inForce.length > 0) && (
        <div class="columns">
          {suggestions.length > 0 && <Suggestions of={it} suggestions={suggestions} />}
          <Card title="Measures in force" {...(inForce.length > 0 ? { tone: 'held' as const } : {})}>
            {inForce.length === 0 ? (
              <p class="muted">None yet. Whoever it is goes on.</p>
            ) : (
              <Measures orders={inForce} withCase={false} />
            )}
          </Card>
        </div>
      )}
      <Card>
        <Tabs
          label="Parts of the case"
          tabs={[
            {
              id: 'timeline',
              title: `Timeline (${events.length})`,
              body: () => (
                <>
                  <CaseTimeline events={events} />
                  {it.state !== 'closed' && <Comment of={it} />}
                </>
              ),
            },
            {
              id: 'evidence',
              title: `Evidence (${decisions.length})`,
              body: () =>
                decisions.length === 0 ? (
                  <Empty title="No call is kept as evidence" icon="ledger">
                    Monitors name the calls that show what they found; this one names none.
                  </Empty>
                ) : (
                  <DecisionTable rows={decisions} label="Calls that show it, the most telling first" />
                ),
            },
            { id: 'impact', title: 'Impact', body: () => <ImpactView of={it} /> },
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
      between <time dateTime={new Date(it.first).toISOString()}>{exact(it.first)}</time> and{' '}
      <Time at={it.last} />
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

function Clients({ of }: { readonly of: readonly string[] }) {
  return (
    <>
      {of.slice(0, 12).map((principal) => (
        <Link key={principal} to={pathTo('traffic', principal)} class="tag">
          <Text of={principal} most={32} />
        </Link>
      ))}
      {of.length > 12 && <span class="muted"> and {count(of.length - 12)} more</span>}
    </>
  );
}

function Owner({ of }: { readonly of: Case }) {
  const me = useStore(session)?.principal;
  const may = useMay('incident.act');
  return (
    <>
      {of.owner === undefined ? <span class="none">nobody</span> : <Text of={of.owner} most={30} />}{' '}
      {may && of.state !== 'closed' && of.owner !== me && (
        <Button
          small
          onPress={() => change(of, 'owner', { owner: me, revision: of.revision }, 'The case is yours.')}
        >
          {of.owner === undefined ? 'I take it' : 'Take it over'}
        </Button>
      )}
    </>
  );
}

function StateActions({ of }: { readonly of: Case }) {
  const [mayAct, mayClose] = [useMay('incident.act'), useMay('incident.close')];
  const [closing, setClosing] = useState(false);
  if (of.state === 'closed') {
    return mayClose ? (
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

/** What waits for a second person. */
function Asks({ of: { case: it, events } }: { readonly of: CaseDetail }) {
  const me = useStore(session)?.principal;
  const may = useMay('incident.act');
  const asks = openAsks(events);
  if (asks.length === 0 || it.state === 'closed') return null;
  const answer = async (
    act: string,
    what: 'approve' | 'decline',
    wish: Suggestion['wish'] | undefined,
  ): Promise<void> => {
    if (what === 'approve') {
      const go = await confirm({
        title: 'Agree, as the second person?',
        children: (
          <p>
            {wish === undefined ? (
              'The measure ends at once.'
            ) : (
              <>
                <MeasureSentence of={wish} />. It is in force at once.
              </>
            )}{' '}
            Both names go into the log.
          </p>
        ),
        action: 'Agree',
        tone: 'danger',
      });
      if (go === undefined) return;
    }
    await change(it, what, { act }, what === 'approve' ? 'Agreed: it is done.' : 'Declined.');
  };
  return (
    <Card title="Waits for a second person" tone="alarmed">
      <ul class="measures">
        {asks.map(({ act, by, at, wish }) => (
          <li key={act}>
            <div>
              <p class="happened">{wish === undefined ? 'End a measure' : <MeasureSentence of={wish} />}</p>
              <p class="muted small">
                <Text of={by} most={30} /> asked <Time at={at} />
              </p>
            </div>
            {may && (
              <>
                {by !== me && (
                  <Button small tone="main" onPress={() => answer(act, 'approve', wish)}>
                    Agree
                  </Button>
                )}
                <Button small onPress={() => answer(act, 'decline', wish)}>
                  {by === me ? 'Take back' : 'Decline'}
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Suggestions({
  of,
  suggestions,
}: {
  readonly of: Case;
  readonly suggestions: readonly Suggestion[];
}) {
  const may = useMay('incident.act');
  return (
    <Card title="What can be done" lead="Each step is in the log before it is done, and can be taken back.">
      <ul class="suggestions">
        {suggestions.map((each, i) => (
          <li key={`${i} ${each.title}`} data-row="">
            <div>
              <p class="happened">
                <Text of={each.title} most={120} />
              </p>
              <p class="muted small">
                <Text of={each.why} most={300} />
              </p>
            </div>
            {may && (
              <Button
                small
                tone={i === 0 ? 'main' : 'plain'}
                onPress={() =>
                  askAndOrder(each.wish, {
                    path: `/api/cases/${encodeURIComponent(of.id)}/act`,
                    needsApproval: each.needsApproval,
                  })
                }
              >
                {each.needsApproval ? 'Ask for it' : 'Do it'}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function FiguresOf({
  of,
  score,
  threshold,
}: {
  readonly of: CaseDetail['alarms'][number]['figures'];
  readonly score: number;
  readonly threshold: number;
}) {
  const words = (value: (typeof of)[string]) =>
    typeof value === 'number' ? (
      figure(value)
    ) : typeof value === 'string' ? (
      <Text of={value} most={60} />
    ) : (
      <Text
        of={value.map((each) => (typeof each === 'number' ? figure(each) : each)).join(', ')}
        most={120}
      />
    );
  return (
    <dl class="figures-of">
      <div>
        <dt>score</dt>
        <dd>
          {figure(score)} <span class="muted small">of {figure(threshold)}</span>
        </dd>
      </div>
      {Object.entries(of)
        .slice(0, 11)
        .map(([name, value]) => (
          <div key={name}>
            <dt>
              <Text of={worded(name)} most={40} />
            </dt>
            <dd>{words(value)}</dd>
          </div>
        ))}
    </dl>
  );
}

function Comment({ of }: { readonly of: Case }) {
  const [text, setText] = useState('');
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
          disabled={text.trim() === ''}
          onPress={async () => {
            await change(of, 'comment', { text: text.trim() }, 'Written down.');
            setText('');
          }}
        >
          <Icon name="comment" size={16} /> Write it down
        </Button>
      </div>
    </div>
  );
}

import { useId, useState } from 'preact/hooks';
import type { CaseDetail, Suggestion } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { session, useMay } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Button } from '../parts/button.tsx';
import { Card } from '../parts/card.tsx';
import { openAsks } from '../parts/case-timeline.tsx';
import { MeasureSentence } from '../parts/measure-words.tsx';
import { askAndOrder } from '../parts/measures.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { confirm } from '../shell/confirm.tsx';
import { change } from './case-change.ts';

/** Suggestions that are seen at once. */
const SHOWN = 4;

/** What waits for a second person. */
export function Asks({ of: { case: it, events } }: { readonly of: CaseDetail }) {
  const me = useStore(session)?.principal;
  const may = useMay('incident.act');
  const list = useId();
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
              <p class="happened" id={`${list}-${act}`}>
                {wish === undefined ? 'End a measure' : <MeasureSentence of={wish} />}
              </p>
              <p class="muted small">
                <Text of={by} most={30} /> asked <Time at={at} />
              </p>
            </div>
            {may && (
              <>
                {by !== me && (
                  <Button
                    small
                    tone="main"
                    aria-describedby={`${list}-${act}`}
                    onPress={() => answer(act, 'approve', wish)}
                  >
                    Agree
                  </Button>
                )}
                <Button
                  small
                  aria-describedby={`${list}-${act}`}
                  onPress={() => answer(act, 'decline', wish)}
                >
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

/** What could be done about the case now, in sentences, each with its button. */
export function Suggestions({
  of,
  suggestions,
}: {
  readonly of: Case;
  readonly suggestions: readonly Suggestion[];
}) {
  const may = useMay('incident.act');
  const [all, setAll] = useState(false);
  const shown = all ? suggestions : suggestions.slice(0, SHOWN);
  return (
    <Card title="What can be done" lead="Each step is in the log before it is done, and can be taken back.">
      <ul class="suggestions">
        {shown.map((each, i) => (
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
      {shown.length < suggestions.length && (
        <div class="actions">
          <Button small tone="quiet" icon="down" onPress={() => setAll(true)}>
            {suggestions.length - shown.length} more
          </Button>
        </div>
      )}
    </Card>
  );
}

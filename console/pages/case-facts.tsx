import type { CaseDetail } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { ATLAS } from '../../src/policy/taxonomy/taxonomies.ts';
import { session, useMay } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Button } from '../parts/button.tsx';
import { Card } from '../parts/card.tsx';
import { BY_HAND } from '../parts/case-timeline.tsx';
import { Facts } from '../parts/field.tsx';
import { count, figure, span, titled, worded } from '../parts/format.ts';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo } from '../shell/router.tsx';
import { change } from './case-change.ts';

/** Whom and what the case is about, and how far it is. */
export function WhoAndWhat({ of: it, alarms }: { readonly of: Case; readonly alarms: CaseDetail['alarms'] }) {
  return (
    <Card title="Who and what">
      <Facts
        of={[
          [
            'Clients',
            it.principals.length === 0 ? (
              <span class="none">nobody in particular</span>
            ) : (
              <Clients of={it.principals} alarms={alarms} />
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
          [
            'Queries',
            it.queries === 0 ? (
              <span class="none">none is named</span>
            ) : (
              `${count(it.queries)}, in ${span(it.last - it.first)}`
            ),
          ],
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
            'Technique',
            it.atlas.map((id) => (
              <a
                key={id}
                class="tag"
                title={id}
                href={`https://atlas.mitre.org/techniques/${encodeURIComponent(id)}`}
                target="_blank"
                rel="noreferrer noopener"
              >
                {ATLAS.entries[id] ?? id}
                <span class="unseen"> ({id}, opens another site)</span>
              </a>
            )),
          ],
        ]}
      />
    </Card>
  );
}

/** Each with the monitors that named it: that another alarm joined the case says nothing about it. */
function Clients({ of, alarms }: { readonly of: readonly string[]; readonly alarms: CaseDetail['alarms'] }) {
  const namedBy = (principal: string) => [
    ...new Set(alarms.flatMap((each) => (each.principals.includes(principal) ? [each.monitor] : []))),
  ];
  return (
    <>
      {of.slice(0, 12).map((principal) => (
        <div key={principal}>
          <Link to={pathTo('traffic', principal)} class="tag">
            <Text of={principal} most={32} />
          </Link>
          <span class="muted">
            {' '}
            named by{' '}
            {namedBy(principal)
              .slice(0, 4)
              .map((monitor) => (monitor === BY_HAND ? 'whoever opened it' : worded(monitor.slice(0, 60))))
              .join(', ') || 'an alarm that is no longer kept'}
          </span>
        </div>
      ))}
      {of.length > 12 && <span class="muted"> and {count(of.length - 12)} more</span>}
    </>
  );
}

function Owner({ of }: { readonly of: Case }) {
  const me = useStore(session)?.principal;
  const [mayAct, mayClose] = [useMay('incident.act'), useMay('incident.close')];
  const may = mayAct || mayClose;
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

/** Figures behind an alarm. */
export function FiguresOf({
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
        <dt>Score</dt>
        <dd>{figure(score)}</dd>
      </div>
      <div>
        <dt>Alarm from</dt>
        <dd>{figure(threshold)}</dd>
      </div>
      {Object.entries(of)
        .slice(0, 11)
        .map(([name, value]) => (
          <div key={name}>
            <dt>
              <Text of={titled(name)} most={40} />
            </dt>
            <dd>{words(value)}</dd>
          </div>
        ))}
    </dl>
  );
}

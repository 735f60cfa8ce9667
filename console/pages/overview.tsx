import type { Overview } from '../../src/gateway/console/api.ts';
import type { Case } from '../../src/incident/case.ts';
import { useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { CaseRow, Who } from '../parts/case-row.tsx';
import { Digest } from '../parts/digest.tsx';
import { Empty } from '../parts/empty.tsx';
import { change, count, counted, percent, short, span } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Measures } from '../parts/measures.tsx';
import { SeriesChart } from '../parts/series-chart.tsx';
import { Stat, Stats } from '../parts/stat.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo } from '../shell/router.tsx';

const RANK = { critical: 0, high: 1, medium: 2, low: 3 } as const;

/** What is served, whether it is well, and what needs a person. */
export default function OverviewPage() {
  const overview = useQuery<Overview>('/api/overview', { every: 10_000 });
  return (
    <Loaded query={overview} what="the overview" lines={8}>
      {(data) => <Whole of={data} />}
    </Loaded>
  );
}

function Whole({ of }: { readonly of: Overview }) {
  const cases = [...of.cases].sort(
    (a, b) =>
      Number(a.state === 'contained') - Number(b.state === 'contained') ||
      RANK[a.severity] - RANK[b.severity] ||
      b.updated - a.updated,
  );
  return (
    <>
      <Verdict of={of} cases={cases} />
      {(cases.length > 0 || of.reviews > 0) && (
        <Card title="What needs you" side={<Link to="/cases">All cases</Link>}>
          <ul class="case-list">
            {cases.slice(0, 6).map((each) => (
              <CaseRow key={each.id} of={each} />
            ))}
          </ul>
          {of.reviews > 0 && (
            <p class="reviews-waiting">
              <Icon name="review" />{' '}
              <Link to="/review">
                {counted(of.reviews, 'answer is', 'answers are')} held until a person decides
              </Link>
            </p>
          )}
        </Card>
      )}
      <Totals of={of} />
      <div class="columns wide-left">
        <div class="stackup">
          {of.models.length > 0 && <Models of={of} />}
          <State of={of} />
        </div>
        <div class="stackup">
          <Card title="Measures in force">
            {of.orders.length === 0 ? (
              <p class="muted">None: everybody is served as the configuration says.</p>
            ) : (
              <Measures orders={of.orders} />
            )}
          </Card>
        </div>
      </div>
    </>
  );
}

/** One sentence about how things are, and one about the worst of it. */
function Verdict({ of, cases }: { readonly of: Overview; readonly cases: readonly Case[] }) {
  const urgent = cases.filter(({ state }) => state === 'open' || state === 'working');
  const broken = of.health.filter(({ ok }) => !ok);
  const stopped = of.models.filter(
    ({ versions, use }) => versions.find(({ version }) => version === use)?.stopped !== undefined,
  );
  const [worst] = urgent;
  if (of.models.length === 0) {
    return (
      <Opening chip="Nothing served" title="No model is served yet.">
        Name one in <code>glacis.yaml</code> below <code>serve: models:</code>, then reload. What is asked and
        answered appears here by itself.
      </Opening>
    );
  }
  if (stopped.length > 0) {
    return (
      <Opening
        chip="Not answering"
        tone="changed"
        title={
          <>
            <Text of={stopped[0]!.model} most={40} /> does not answer.
          </>
        }
      >
        <Text of={stopped[0]!.versions.find(({ stopped: why }) => why !== undefined)?.stopped} most={300} />
      </Opening>
    );
  }
  if (worst !== undefined) {
    const bad = worst.severity === 'critical' || worst.severity === 'high';
    return (
      <Opening
        chip={bad ? 'Needs you now' : 'Needs a look'}
        tone={bad ? 'changed' : 'warn'}
        title={
          urgent.length === 1 ? 'One case waits for a person.' : `${urgent.length} cases wait for a person.`
        }
      >
        The worst is {worst.kind === 'attack' ? 'an attack by ' : 'about '}
        {worst.kind === 'attack' ? (
          <Who of={worst.principals} />
        ) : (
          <b>
            <Text of={worst.models[0]} most={40} />
          </b>
        )}
        {worst.kind === 'attack' && worst.models[0] !== undefined && (
          <>
            {' '}
            on{' '}
            <b>
              <Text of={worst.models[0]} most={40} />
            </b>
          </>
        )}
        , since <Time at={worst.first} />.{' '}
        {worst.containedAfter === undefined ? 'Nothing was done against it yet.' : 'A measure is in force.'}{' '}
        {broken.length > 0 &&
          `${counted(broken.length, 'part')} of the gateway ${broken.length === 1 ? 'is' : 'are'} not well.`}
      </Opening>
    );
  }
  if (broken.length > 0) {
    return (
      <Opening chip="Not well" tone="warn" title={<>{broken[0]!.part}: not well.</>}>
        <Text of={broken[0]!.because} most={300} />
      </Opening>
    );
  }
  if (of.reviews > 0) {
    return (
      <Opening
        chip="Needs a look"
        tone="warn"
        title={`${counted(of.reviews, 'answer waits', 'answers wait')} for a person.`}
      >
        The second model saw something else in them, so nobody has got them yet. Everything else is well:{' '}
        {count(of.hour.requests)} requests of {counted(of.hour.clients, 'client')} in the last hour.
      </Opening>
    );
  }
  return (
    <Opening
      chip="All is well"
      tone="held"
      title={`${counted(of.models.length, 'model')} served, and nothing needs you.`}
    >
      {count(of.hour.requests)} requests of {counted(of.hour.clients, 'client')} in the last hour,{' '}
      {percent(of.hour.refused / Math.max(1, of.hour.requests))} of them refused
      {cases.length > 0 ? `; ${counted(cases.length, 'case')} contained` : ''}.
    </Opening>
  );
}

function Totals({ of: { hour, before, day } }: { readonly of: Overview }) {
  const held = (now: number, then: number) => {
    const words = change(now, then);
    return words === undefined ? 'none the hour before' : `${words} against the hour before`;
  };
  return (
    <Card title="The last hour, and the day" side={<Link to="/traffic">Traffic</Link>}>
      <Stats>
        <Stat
          value={short(hour.requests)}
          title={count(hour.requests)}
          what="requests"
          note={held(hour.requests, before.requests)}
        />
        <Stat
          value={short(hour.refused)}
          title={count(hour.refused)}
          what="refused"
          tone={
            hour.refused > before.refused * 1.5 && hour.refused > hour.requests / 10 ? 'changed' : undefined
          }
          note={`${percent(hour.refused / Math.max(1, hour.requests))} of requests`}
        />
        <Stat
          value={short(hour.flagged)}
          title={count(hour.flagged)}
          what="flagged"
          note={held(hour.flagged, before.flagged)}
        />
        <Stat
          value={short(hour.clients)}
          title={count(hour.clients)}
          what="clients"
          note={held(hour.clients, before.clients)}
        />
      </Stats>
      {day.length > 1 ? (
        <div class="day">
          <SeriesChart
            label="Requests of the last 24 hours"
            height={160}
            at={day.map(([at]) => at)}
            series={[
              {
                name: 'answered',
                tone: 'held',
                look: 'area',
                values: day.map(([, answered]) => answered),
                unit: short,
              },
              {
                name: 'refused',
                tone: 'changed',
                look: 'area',
                values: day.map(([, , refused]) => refused),
                unit: short,
              },
            ]}
          />
        </div>
      ) : (
        <Empty title="No requests yet" icon="traffic">
          As soon as a client asks a model, its requests are counted here.
        </Empty>
      )}
    </Card>
  );
}

function Models({ of: { models } }: { readonly of: Overview }) {
  const maySee = useMay('models.list');
  return (
    <Card title="Models" side={maySee && <Link to="/models">Versions and evidence</Link>}>
      <ul class="model-list">
        {models.map((each) => {
          const version = each.versions.find(({ version: name }) => name === each.use);
          return (
            <li key={each.model} data-row="">
              <div>
                <p class="model-name">
                  <Link to={pathTo('models', each.model)}>
                    <Text of={each.model} most={40} />
                  </Link>{' '}
                  <span class="muted small">
                    version <Text of={each.use} most={24} />
                  </span>
                </p>
                <p class="small">
                  {version?.stopped !== undefined ? (
                    <Badge tone="changed">Stopped</Badge>
                  ) : each.alarmed ? (
                    <Badge tone="changed">Alarmed</Badge>
                  ) : (
                    <Badge tone="held">Well</Badge>
                  )}{' '}
                  {each.canary && (
                    <Badge tone="warn">
                      {percent(each.canary.share)} on <Text of={each.canary.version} most={16} />
                    </Badge>
                  )}
                </p>
              </div>
              <p class="rate">
                <b>{each.perSecond < 10 ? each.perSecond.toFixed(1) : count(each.perSecond)}</b>{' '}
                <span class="muted small">a second</span>
              </p>
              <p class="rate">
                <b>{each.p99 === undefined ? '–' : span(each.p99)}</b> <span class="muted small">p99</span>
              </p>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function State({ of: { health, log, since } }: { readonly of: Overview }) {
  return (
    <Card
      title="The gateway"
      side={
        <span class="muted small">
          since <Time at={since} />
        </span>
      }
    >
      <ul class="health">
        {health.map(({ part, ok, because }) => (
          <li key={part} class={ok ? 'held' : 'changed'}>
            <Icon name={ok ? 'done' : 'close'} size={15} />
            <span>
              <Text of={part} most={40} />
              {!ok && (
                <span class="muted">
                  {' '}
                  <Text of={because} most={160} />
                </span>
              )}
              <span class="unseen">{ok ? ' is well' : ' is not well'}</span>
            </span>
          </li>
        ))}
      </ul>
      <p class="log-line">
        <Icon name="ledger" size={16} />
        <span>
          <Link to="/ledger">{counted(log.size, 'entry', 'entries')} in the ledger</Link>, signed{' '}
          <Time at={log.at} />: <Digest of={log.root} most={10} />
        </span>
      </p>
    </Card>
  );
}

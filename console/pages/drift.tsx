import type { Monitors, Overview } from '../../src/gateway/console/api.ts';
import type { Alarm } from '../../src/monitor/alarm.ts';
import type { MonitorState } from '../../src/monitor/monitor.ts';
import { pathOf, useQuery, useRows } from '../data/query.ts';
import { Badge, KindBadge, Severity } from '../parts/badge.tsx';
import { Meter } from '../parts/bars.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Select } from '../parts/field.tsx';
import { className, count, counted, figure, score, sentence, titled, worded } from '../parts/format.ts';
import { Histogram, HistogramAxis } from '../parts/histogram.tsx';
import { Loaded } from '../parts/loading.tsx';
import { Picture } from '../parts/picture.tsx';
import { SeriesChart } from '../parts/series-chart.tsx';
import { PagedTable } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';

const PHASES = {
  alarmed: ['Alarmed', 'changed'],
  watching: ['Watching', 'held'],
  learning: ['Learning', 'rest'],
  blind: ['Blind', 'warn'],
} as const;

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

function Verdict({ states, model }: { readonly states: readonly MonitorState[]; readonly model: string }) {
  const alarmed = states.filter(({ phase }) => phase === 'alarmed');
  const blind = states.filter(({ phase }) => phase === 'blind');
  const learning = states.filter(({ phase }) => phase === 'learning');
  const watching = states.length - blind.length - learning.length;
  const budget = states.reduce(
    (sum, { phase, falseAlarms }) =>
      sum + (phase === 'learning' || phase === 'blind' ? 0 : (falseAlarms?.budgetPerDay ?? 0)),
    0,
  );
  if (states.length === 0) {
    return (
      <Opening chip="Nobody watches" tone="warn" title="No monitor watches this model.">
        Monitors are named in <code>serve: monitors:</code>. They learn what is usual from calm traffic first:{' '}
        <code>glacis monitor calibrate</code>.
      </Opening>
    );
  }
  return (
    <Opening
      chip={alarmed.length > 0 ? 'Beyond the threshold' : watching === 0 ? 'Learning' : 'As usual'}
      tone={alarmed.length > 0 ? 'changed' : watching === 0 ? 'rest' : 'held'}
      title={
        alarmed.length > 0 ? (
          <>
            {titled(alarmed[0]!.monitor)}
            {alarmed.length === 2 && ` and ${worded(alarmed[1]!.monitor)}`}
            {alarmed.length > 2 && ` and ${counted(alarmed.length - 1, 'other monitor')}`}{' '}
            {alarmed.length === 1 ? 'is' : 'are'} alarmed on <Text of={model} most={40} />.
          </>
        ) : (
          <>
            {watching === 0 ? 'Nobody can tell yet what moves on ' : 'Nothing moved on '}
            <Text of={model} most={40} />.
          </>
        )
      }
    >
      {watching === states.length
        ? `${counted(states.length, 'monitor')} watch`
        : `${watching === 0 ? 'None' : watching} of ${counted(states.length, 'monitor')} can tell`}
      {watching > 0 && budget > 0 && <>, together with at most {falseAlarmWords(budget)}</>}.
      {learning.length > 0 && ` ${counted(learning.length, 'is', 'are')} still learning what is usual.`}
      {blind.length > 0 && ` ${counted(blind.length, 'lacks', 'lack')} something.`}
    </Opening>
  );
}

/** A rate of false alarms as a person says it. */
export function falseAlarmWords(perDay: number): string {
  if (perDay >= 0.7) return `${Number(perDay.toFixed(1))} false alarms a day`;
  if (perDay >= 1 / 10) return `one false alarm in ${Math.round(1 / perDay)} days`;
  if (perDay >= 1 / 45) return `one false alarm in ${Math.round(1 / perDay / 7)} weeks`;
  return `one false alarm in ${Math.round(1 / perDay / 30)} months`;
}

function MonitorCard({ of }: { readonly of: MonitorState }) {
  const [words, tone] = PHASES[of.phase] ?? [of.phase, 'rest'];
  const histograms = of.parts.filter((part) => part.reference !== undefined && part.current !== undefined);
  const others = of.parts.filter((part) => part.reference === undefined || part.current === undefined);
  return (
    <Card
      title={titled(of.monitor)}
      side={<Badge tone={tone}>{words}</Badge>}
      lead={
        <>
          {of.because !== undefined && (
            <>
              <Text of={sentence(of.because)} most={300} />{' '}
            </>
          )}
          {of.score !== undefined && of.threshold !== undefined && (
            <>
              Score <b>{figure(of.score)}</b>, alarm from {figure(of.threshold)} on.{' '}
            </>
          )}
          {of.falseAlarms && (
            <>
              At your traffic at most {falseAlarmWords(of.falseAlarms.budgetPerDay)}
              {of.falseAlarms.measuredPerDay !== undefined &&
                of.falseAlarms.on > 0 &&
                `; measured on ${count(of.falseAlarms.on)} calm calls: ${of.falseAlarms.measuredPerDay === 0 ? 'none' : falseAlarmWords(of.falseAlarms.measuredPerDay)}`}
              {of.falseAlarms.on === 0 && '; not measured on calm traffic yet'}.
            </>
          )}
        </>
      }
      {...(of.phase === 'alarmed' ? { tone: 'alarmed' as const } : {})}
    >
      {of.series.length > 1 && (
        <SeriesChart
          label={`Score of ${of.monitor}`}
          height={of.phase === 'alarmed' ? 220 : 120}
          at={of.series.map(([at]) => at)}
          series={[
            {
              name: 'score',
              tone: of.phase === 'alarmed' ? 'changed' : 'held',
              look: 'area',
              values: of.series.map(([, score]) => score),
            },
            ...(of.threshold === undefined
              ? []
              : [
                  {
                    name: 'threshold',
                    tone: 'muted',
                    look: 'dashed' as const,
                    values: of.series.map(() => of.threshold),
                  },
                ]),
          ]}
        />
      )}
      {histograms.length > 0 && (
        <details open={of.phase === 'alarmed'} class="features">
          <summary>
            What moved, feature by feature{' '}
            <span class="muted small">grey: before, {of.phase === 'alarmed' ? 'orange' : 'blue'}: now</span>
          </summary>
          <ul class="histograms">
            {histograms.slice(0, 16).map((part) => (
              <li key={part.name}>
                <p>
                  <b>
                    <Text of={part.name} most={30} />
                  </b>
                  <span class="muted small">
                    {part.p === undefined
                      ? figure(part.score)
                      : `p ${part.p < 1e-12 ? '< 1e-12' : figure(part.p)}`}
                  </span>
                </p>
                <Histogram
                  name={part.name}
                  bins={part.bins}
                  reference={part.reference!}
                  current={part.current!}
                />
                <HistogramAxis bins={part.bins} n={part.reference!.length} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {others.length > 0 && (
        <details open={of.phase === 'alarmed'} class="features">
          <summary>Who or what stands out</summary>
          <ul class="suspects">
            {others.slice(0, 12).map((part) => (
              <li key={part.name}>
                <Link to={pathTo('traffic', part.name)}>
                  <Text of={part.name} most={36} />
                </Link>
                <Meter
                  value={part.score / Math.max(...others.map(({ score }) => score), of.threshold ?? 0, 1e-9)}
                  label={part.name.slice(0, 60)}
                  tone={of.threshold !== undefined && part.score >= of.threshold ? 'changed' : 'held'}
                />
                <span>{figure(part.score)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

/** Monitors that cannot say anything yet, and what each of them waits for. */
function NotYet({ states }: { readonly states: readonly MonitorState[] }) {
  if (states.length === 0) return null;
  return (
    <Card title="Not watching yet" lead="What these wait for. Until then they raise no alarm.">
      <ul class="not-yet">
        {states
          .toSorted((a, b) => (a.phase === b.phase ? 0 : a.phase === 'blind' ? -1 : 1))
          .map((state) => {
            const [words, tone] = PHASES[state.phase];
            return (
              <li key={state.monitor}>
                <b>{titled(state.monitor)}</b>
                <Badge tone={tone}>{words}</Badge>
                <span class="muted">
                  {state.because === undefined ? '' : <Text of={sentence(state.because)} most={240} />}
                </span>
              </li>
            );
          })}
      </ul>
    </Card>
  );
}

function Samples({ of: { samples, classNames } }: { readonly of: Monitors }) {
  const pictures = samples.filter(({ picture }) => picture !== undefined);
  const tables = samples.filter(({ features }) => features !== undefined);
  return (
    <Card
      title="What comes in"
      lead={
        pictures.length > 0
          ? 'Inputs that were drawn by lot lately, as the monitors see them: a grid of means, never the whole picture.'
          : 'Inputs that were drawn by lot lately, as the monitors see them.'
      }
    >
      {samples.length === 0 && (
        <Empty title="Nothing was drawn yet" icon="drift">
          The monitors sketch a share of the calls; the first ones appear here.
        </Empty>
      )}
      {pictures.length > 0 && (
        <ul class="sketches">
          {pictures.slice(0, 32).map((each) => {
            const answer = each.label === undefined ? 'no answer' : className(classNames, each.label);
            return (
              <li key={each.decision}>
                <Picture of={each.picture!} alt={`Input answered ${answer}`} />
                <p>
                  <Text of={answer} most={26} />{' '}
                  {each.score !== undefined && <span class="muted">{score(each.score)}</span>}
                </p>
                <p class="muted small">
                  <Text of={each.principal} most={16} />, <Time at={each.at} />
                </p>
              </li>
            );
          })}
        </ul>
      )}
      {tables.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled must be reached by keyboard, too.
        <section class="scroll" tabIndex={0} aria-label="Inputs, as numbers">
          <ul class="rows-of-features">
            {tables.slice(0, 16).map((each) => (
              <li key={each.decision}>
                <span class="muted small">
                  <Time at={each.at} />
                </span>
                <Text of={each.principal} most={20} />
                <code>
                  {(each.features ?? []).slice(0, 12).map(figure).join('  ')}
                  {(each.features?.length ?? 0) > 12 && ' …'}
                </code>
                <span>{each.label === undefined ? '' : className(classNames, each.label)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Card>
  );
}

function Alarms({ model }: { readonly model: string }) {
  const rows = useRows<Alarm>(pathOf('/api/alarms', { model }), ({ id }) => id);
  return (
    <Card title="Alarms" lead="Every word of a monitor, also those that belong to a closed case." flush>
      <PagedTable
        label="Alarms"
        what="the alarms"
        list={rows}
        keyOf={({ id }) => id}
        empty={
          <Empty title="No alarm" icon="alerts">
            A monitor that finds something unusual says so here, and opens a case.
          </Empty>
        }
        columns={[
          {
            id: 'title',
            title: 'Alarm',
            cell: (row) => (
              <>
                <b>
                  <Text of={row.title} most={110} />
                </b>{' '}
                <span class="muted small block extra">
                  <Text of={row.why} most={170} />
                </span>
              </>
            ),
          },
          { id: 'kind', title: 'Kind', cell: (row) => <KindBadge of={row.kind} /> },
          { id: 'severity', title: 'Severity', extra: true, cell: (row) => <Severity of={row.severity} /> },
          {
            id: 'score',
            title: 'Score',
            number: true,
            extra: true,
            cell: (row) => `${figure(row.score)} / ${figure(row.threshold)}`,
          },
          { id: 'at', title: 'When', number: true, cell: (row) => <Time at={row.at} /> },
        ]}
      />
    </Card>
  );
}

import type { Assessment } from '../../../src/assess/result.ts';
import type { AssessmentList } from '../../../src/gateway/console/api.ts';
import type { AlarmSeverity } from '../../../src/monitor/alarm.ts';
import { useQuery } from '../../data/query.ts';
import { Badge, Severity } from '../../parts/badge.tsx';
import { Card, Opening } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Facts, Select } from '../../parts/field.tsx';
import { count, exact, figure, percent } from '../../parts/format.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loaded } from '../../parts/loading.tsx';
import { Table } from '../../parts/table.tsx';
import { plainText, Text } from '../../parts/text.tsx';
import { go, Link } from '../../shell/router.tsx';
import { IntervalChart } from './interval-chart.tsx';
import { ballWords, epsText, normWords } from './words.ts';

const TONES = ['changed', 's5', 's1', 's2', 's3'] as const;
/** Rows of the table of attacks. */
const MOST_RUNS = 200;

/** One assessment: curves, findings, attacks, and the way to its report. */
export function AssessmentPage({ id }: { readonly id: string }) {
  const found = useQuery<Assessment>(`/api/assessments/${encodeURIComponent(id)}`);
  return (
    <>
      <p class="way-back">
        <Link to="/assessments">Assessments</Link>
      </p>
      <Loaded query={found} what="the assessment" lines={8}>
        {(assessment) => <Shown id={id} assessment={assessment} />}
      </Loaded>
    </>
  );
}

function Shown({ id, assessment }: { readonly id: string; readonly assessment: Assessment }) {
  const { model, data, finishedAt, status, statusReason, findings, results, environment, command, seed } =
    assessment;
  const worst: readonly (Assessment['worstCases'][number] | Assessment['results'][number])[] =
    assessment.worstCases.length > 0 ? assessment.worstCases : results;
  const clean = results[0]?.cleanAccuracy ?? worst[0]?.cleanAccuracy;
  const least =
    worst.length === 0 ? undefined : worst.reduce((a, b) => (b.robustAccuracy < a.robustAccuracy ? b : a));
  return (
    <>
      <Opening
        chip={status === 'partial' ? 'Stopped early' : undefined}
        tone="warn"
        title={<Text of={model.name} />}
        side={<CompareWith id={id} />}
      >
        {clean !== undefined && (
          <>
            Right on <b>{percent(clean)}</b> of {count(data.n)} inputs
          </>
        )}
        {least && (
          <>
            ; under the strongest attack at {ballWords(least)} on <b>{percent(least.robustAccuracy)}</b>
          </>
        )}
        .
        {statusReason !== undefined && (
          <>
            {' '}
            <Text of={statusReason} most={200} />
          </>
        )}
      </Opening>
      <Card
        title="How much it withstands"
        lead="What is still right at each budget when every attack has tried. Bars are 95 % intervals."
        side={
          <a
            class="button small"
            href={`/api/assessments/${encodeURIComponent(id)}/report`}
            target="_blank"
            rel="noopener noreferrer"
          >
            <Icon name="external" size={15} />
            The whole report
          </a>
        }
      >
        <div class="columns">
          {[...Map.groupBy(worst, ({ norm }) => norm).entries()].slice(0, 6).map(([norm, balls], i) => (
            <Curve key={norm} norm={norm} balls={balls} clean={clean} tone={TONES[i % TONES.length]!} />
          ))}
        </div>
        {worst.length === 0 && <p class="muted">No attack was run.</p>}
      </Card>
      <Card title={`Findings (${findings.length})`}>
        {findings.length === 0 ? (
          <p class="muted">
            Nothing was found that a reader should act on. That is no proof of strength: see the attacks
            below.
          </p>
        ) : (
          <ul class="findings">
            {findings.map(({ id: name, title, severity, evidence, remedy, taxonomy }) => (
              <li key={name}>
                {severity === 'info' ? <Badge>Note</Badge> : <Severity of={severity as AlarmSeverity} />}
                <h3>
                  <Text of={title} most={200} />
                </h3>
                <p>
                  <Text of={evidence} most={800} />
                </p>
                <p class="muted">
                  <Text of={remedy} most={800} />
                </p>
                <p>
                  {[...taxonomy.atlas, ...taxonomy.owasp, ...taxonomy.nist].map((each) => (
                    <span class="tag" key={each}>
                      <Text of={each} />
                    </span>
                  ))}
                </p>
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Card flush title="Attacks">
        <Table
          label="Attacks and what they did"
          rows={results.slice(0, MOST_RUNS)}
          keyOf={({ attack, norm, eps }) => `${attack} ${norm} ${eps}`}
          columns={[
            { id: 'attack', title: 'Attack', cell: ({ attack }) => <Text of={attack} /> },
            { id: 'ball', title: 'Budget', cell: (row) => ballWords(row) },
            {
              id: 'robust',
              title: 'Still right',
              number: true,
              cell: ({ robustAccuracy }) => percent(robustAccuracy),
            },
            {
              id: 'interval',
              title: '95 % interval',
              number: true,
              extra: true,
              cell: ({ confidence: [low, high] }) => `${percent(low)} to ${percent(high)}`,
            },
            {
              id: 'queries',
              title: 'Questions',
              number: true,
              extra: true,
              cell: ({ queries }) => count(queries),
            },
            {
              id: 'seconds',
              title: 'Seconds',
              number: true,
              extra: true,
              cell: ({ seconds }) => figure(seconds),
            },
          ]}
        />
      </Card>
      <Card title="On what">
        <Facts
          of={[
            ['Model', <Digest key="m" of={model.digest} most={20} />],
            ['Data', <Text key="d" of={data.description} most={200} />],
            ['Its digest', <Digest key="dd" of={data.digest} most={20} />],
            ['Finished', exact(Date.parse(finishedAt))],
            ['Made by', <Text key="g" of={`Glacis ${environment.glacis}, seed ${seed}`} />],
            command !== undefined && [
              'Again with',
              <code key="c">
                <Text of={command} most={400} />
              </code>,
            ],
          ]}
        />
      </Card>
    </>
  );
}

function Curve({
  norm,
  balls,
  clean,
  tone,
}: {
  readonly norm: string;
  readonly balls: readonly {
    readonly eps: number;
    readonly robustAccuracy: number;
    readonly confidence: readonly [low: number, high: number];
  }[];
  readonly clean: number | undefined;
  readonly tone: (typeof TONES)[number];
}) {
  // The least over all attacks at each eps, where none was concluded.
  const least = [...Map.groupBy(balls, ({ eps }) => eps).values()]
    .map((all) => all.reduce((a, b) => (b.robustAccuracy < a.robustAccuracy ? b : a)))
    .sort((a, b) => a.eps - b.eps);
  const points = [
    ...(clean === undefined ? [] : [{ x: 0, value: clean, name: 'no attack' }]),
    ...least.map(({ eps, robustAccuracy, confidence: [low, high] }) => ({
      x: eps,
      value: robustAccuracy,
      ...{ low, high, name: epsText(eps) },
    })),
  ];
  const ticks = points.filter((_, i) => i === 0 || i === points.length - 1 || points.length <= 6);
  return (
    <div>
      <h3>{normWords(norm)}</h3>
      <IntervalChart
        label={`Robust accuracy in ${normWords(norm)}`}
        lines={[{ name: normWords(norm), tone, points }]}
        ticks={ticks.map(({ x, name }) => [x, name === 'no attack' ? '0' : name] as const)}
      />
    </div>
  );
}

function CompareWith({ id }: { readonly id: string }) {
  const { data } = useQuery<AssessmentList>('/api/assessments?most=100');
  const others = data?.rows.filter((each) => each.id !== id) ?? [];
  if (others.length === 0) return null;
  return (
    <Select
      label="Compare with"
      value=""
      options={[
        ['', 'choose another'],
        ...others.map(
          ({ id: other, model, at }) =>
            [other, `${plainText(model)}, ${new Date(at).toLocaleDateString('en-GB')}`] as const,
        ),
      ]}
      onChange={(other) =>
        other !== '' && go(`/assessments/compare?a=${encodeURIComponent(id)}&b=${encodeURIComponent(other)}`)
      }
    />
  );
}

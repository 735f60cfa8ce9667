import type { Traffic } from '../../../src/gateway/console/api.ts';
import { StackedBar } from '../../parts/bars.tsx';
import { passedOf, sinceBegun } from '../../parts/begun.ts';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/empty.tsx';
import { short, span } from '../../parts/format.ts';
import { outcomeWords } from '../../parts/outcome.tsx';
import { SeriesChart } from '../../parts/series-chart.tsx';
import { StageTable } from '../../parts/stage-table.tsx';
import { Guards } from './guards.tsx';

const REFUSAL_TONES = ['changed', 's3', 's2', 's5', 's1', 's4'] as const;

/** A span of time: how much was asked, what became of it, how long it took, and what guards said. */
export function Course({ of }: { readonly of: Traffic }) {
  const points = sinceBegun(
    of.points,
    ({ answered, refused }) => answered === 0 && Object.keys(refused).length === 0,
  );
  if (points.length === 0) {
    return (
      <Card>
        <Empty title="No requests in this span" icon="traffic">
          Send one: <code>curl …/v2/models/NAME/infer</code> with a key of the page People &amp; keys. It is
          counted here a second later.
        </Empty>
      </Card>
    );
  }
  const at = points.map((point) => point.at);
  const now = Date.now();
  const perSecond = (n: number, since: number) => (n * 1000) / passedOf(of.step, since, now);
  const all = (refused: Traffic['points'][number]['refused']) =>
    Object.values(refused).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <Card title="Requests a second" lead={`One point stands for ${span(of.step)}.`}>
        <SeriesChart
          label="Requests a second"
          at={at}
          series={[
            {
              name: 'answered',
              tone: 'held',
              look: 'area',
              values: points.map((point) => perSecond(point.answered, point.at)),
              unit: rateWords,
            },
            {
              name: 'refused or held',
              tone: 'changed',
              look: 'area',
              values: points.map((point) => perSecond(all(point.refused), point.at)),
              unit: rateWords,
            },
          ]}
        />
        <div class="fate">
          <StackedBar label="What became of the requests" parts={fatesOf(of)} />
        </div>
      </Card>
      <div class="columns">
        <Card title="Time to an answer">
          <SeriesChart
            label="Time to an answer"
            height={160}
            at={at}
            series={[
              { name: 'half within', tone: 'held', values: points.map(({ p50 }) => p50), unit: span },
              { name: '99 of 100 within', tone: 's5', values: points.map(({ p99 }) => p99), unit: span },
            ]}
          />
          <StageTable stages={of.stages} />
        </Card>
        <Guards of={of.guards} />
      </div>
    </>
  );
}

/** Answered, and each kind of refusal, the most frequent first. */
function fatesOf({ points }: Traffic): Parameters<typeof StackedBar>[0]['parts'] {
  const sums = new Map<string, number>();
  for (const { refused } of points)
    for (const [kind, n] of Object.entries(refused)) sums.set(kind, (sums.get(kind) ?? 0) + n);
  const answered = points.reduce((sum, point) => sum + point.answered, 0);
  return [
    { name: 'answered', value: answered, tone: 'held' },
    ...[...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, REFUSAL_TONES.length)
      .map(([kind, value], i) => ({
        name: outcomeWords(kind).toLowerCase(),
        value,
        tone: REFUSAL_TONES[i]!,
      })),
  ];
}

function rateWords(value: number): string {
  return value >= 100 ? short(value) : String(Math.round(value * 10) / 10);
}

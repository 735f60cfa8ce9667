import type { MonitorState } from '../../../src/monitor/monitor.ts';
import { Badge } from '../../parts/badge.tsx';
import { Meter } from '../../parts/bars.tsx';
import { Card } from '../../parts/card.tsx';
import { count, figure, sentence, titled } from '../../parts/format.ts';
import { Histogram, HistogramAxis } from '../../parts/histogram.tsx';
import { SeriesChart } from '../../parts/series-chart.tsx';
import { Text } from '../../parts/text.tsx';
import { Link, pathTo } from '../../shell/router.tsx';
import { falseAlarmWords } from './false-alarm-words.ts';
import { PHASES } from './phases.ts';

/** A monitor: its score over time, what moved, who stands out. */
export function MonitorCard({ of }: { readonly of: MonitorState }) {
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

import { useState } from 'preact/hooks';
import type { AssessmentRow } from '../../../src/gateway/console/api.ts';
import { Card } from '../../parts/card.tsx';
import { Select } from '../../parts/field.tsx';
import { plainText } from '../../parts/text.tsx';
import { IntervalChart } from './interval-chart.tsx';
import { ballWords } from './words.ts';

/** Accuracy and robust accuracy of one model from assessment to assessment, in the balls that it was assessed in most often. */
export function OverTime({ rows }: { readonly rows: readonly AssessmentRow[] }) {
  const names = [...new Set(rows.map(({ model }) => model))].sort((a, b) => often(rows, b) - often(rows, a));
  const [chosen, setChosen] = useState<string | undefined>();
  const name = chosen !== undefined && names.includes(chosen) ? chosen : names[0]!;
  const mine = rows.filter(({ model }) => model === name).toSorted((a, b) => a.at - b.at);
  const balls = [
    ...Map.groupBy(
      mine.flatMap(({ robust }) => robust),
      ballWords,
    ).entries(),
  ]
    .sort(([, a], [, b]) => b.length - a.length || b[0]!.eps - a[0]!.eps)
    .slice(0, 3)
    .map(([words]) => words)
    .sort();
  const when = (at: number) => new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return (
    <Card
      title="From assessment to assessment"
      lead="What the model gets right on clean inputs, and what it still gets right under the strongest attack of each budget. Bars are 95 % intervals."
      side={
        names.length > 1 && (
          <Select
            label="Model"
            value={name}
            options={names.map((each) => [each, plainText(each)] as const)}
            onChange={setChosen}
          />
        )
      }
    >
      <IntervalChart
        label={`Accuracy of ${plainText(name)} over time`}
        lines={[
          {
            name: 'clean',
            tone: 'held',
            points: mine.flatMap(({ cleanAccuracy, at }, i) =>
              cleanAccuracy === undefined ? [] : [{ x: i, value: cleanAccuracy, name: when(at) }],
            ),
          },
          ...balls.map((ball, b) => ({
            name: ball,
            tone: (['changed', 's5', 's1'] as const)[b]!,
            points: mine.flatMap(({ robust, at }, i) =>
              robust
                .filter((each) => ballWords(each) === ball)
                .map(({ accuracy, low, high }) => ({ x: i, value: accuracy, low, high, name: when(at) })),
            ),
          })),
        ]}
        ticks={ticksOf(mine.map(({ at }) => at)).map((i) => [i, when(mine[i]!.at)] as const)}
      />
    </Card>
  );
}

function often(rows: readonly AssessmentRow[], name: string): number {
  return rows.filter(({ model }) => model === name).length;
}

/** At most seven places, the first and the last among them. */
function ticksOf(times: readonly number[]): readonly number[] {
  const n = Math.min(7, times.length);
  return [
    ...new Set(
      Array.from({ length: n }, (_, i) => Math.round((i * (times.length - 1)) / Math.max(1, n - 1))),
    ),
  ];
}

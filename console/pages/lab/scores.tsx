import { useMemo } from 'preact/hooks';
import type { LabModelInfo, LabRun } from '../../../src/gateway/console/api.ts';
import { className, percent } from '../../parts/format.ts';
import { ScoreBars } from '../../parts/score-bars.tsx';
import { winner } from './words.ts';

/** Classes whose scores are shown. */
const MOST_CLASSES = 6;

/** Scores of the classes at a step, beside those before. */
export function Scores({
  run,
  scores,
  model,
}: {
  readonly run: LabRun;
  readonly scores: readonly number[];
  readonly model: LabModelInfo;
}) {
  // The same classes in the same order on the whole way: bars move, rows do not.
  const classes = useMemo(() => {
    const end = run.steps.at(-1)!.scores;
    const worth = (i: number) => Math.max(run.clean[i] ?? 0, ...run.steps.map((step) => step.scores[i] ?? 0));
    const others = run.clean
      .map((_, i) => i)
      .filter((i) => i !== run.label && i !== winner(end))
      .sort((a, b) => worth(b) - worth(a));
    const first = winner(end) === run.label ? [run.label] : [run.label, winner(end)];
    return [...first, ...others].slice(0, MOST_CLASSES);
  }, [run.id]);
  const said = winner(scores);
  return (
    <>
      <ScoreBars
        label={`Scores of the classes: the model says ${className(model.classNames, said)} at ${percent(scores[said] ?? 0)}`}
        rows={classes.map((i) => ({
          id: String(i),
          name: className(model.classNames, i),
          strong: i === said,
          values: [
            { value: run.clean[i] ?? 0, tone: 'rest' as const },
            { value: scores[i] ?? 0, tone: i === run.label ? ('held' as const) : ('changed' as const) },
          ],
        }))}
      />
      <p class="legend">
        <span class="entry">
          <span class="key" />
          before
        </span>
        <span class="entry">
          <span class="key held" />
          the right class now
        </span>
        <span class="entry">
          <span class="key changed" />
          others now
        </span>
      </p>
    </>
  );
}

import { useMemo } from 'preact/hooks';
import type { LabModelInfo, LabRun } from '../../../src/gateway/console/api.ts';
import { Card } from '../../parts/card.tsx';
import { Facts } from '../../parts/field.tsx';
import { className, figure } from '../../parts/format.ts';
import { Canvas } from './canvas.tsx';
import { coloursOf, type Frame, heatOf, withHeat } from './paint.ts';
import { winner } from './words.ts';

/** What the model looked at before and after: attributions over the pictures, or the values that weigh most. */
export function Reasons({
  run,
  model,
  frame,
}: {
  readonly run: LabRun;
  readonly model: LabModelInfo;
  readonly frame: Frame | undefined;
}) {
  const { attribution } = run;
  const result = run.steps.at(-1)!;
  const made = useMemo(() => {
    if (attribution === undefined || frame === undefined) return undefined;
    const over = (values: readonly number[], reasons: readonly number[]) =>
      withHeat(coloursOf(values, frame, model.range), heatOf(reasons, frame));
    return {
      before: over(run.original, attribution.before),
      after: over(result.values, attribution.after),
    };
  }, [run.id]);
  const title = 'What the model looked at';
  if (attribution === undefined)
    return (
      <Card title={title}>
        <p class="muted">
          Only this model’s answers can be seen from here, so nobody can tell what it looks at.
        </p>
      </Card>
    );
  if (made === undefined || frame === undefined)
    return (
      <Card title={title}>
        <Facts
          of={attribution.after
            .map((value, i) => ({ value, i, before: attribution.before[i] ?? 0 }))
            .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
            .slice(0, 8)
            .map(({ i, value, before }) => [
              `number ${i + 1}`,
              `${figure(before)} before, ${figure(value)} after`,
            ])}
        />
      </Card>
    );
  const [first, then] = [winner(run.clean), winner(result.scores)].map((i) => className(model.classNames, i));
  return (
    <Card
      title={title}
      lead={`Orange speaks for the class that the model names, blue against it (${attribution.integrated ? 'integrated gradients' : 'gradient × input'}).`}
    >
      <div class="lab-pictures two">
        <figure>
          <Canvas colours={made.before} frame={frame} alt={`What spoke for ${first} before`} />
          <figcaption>
            <span class="muted">Before, for</span>
            <b>{first}</b>
          </figcaption>
        </figure>
        <figure>
          <Canvas colours={made.after} frame={frame} alt={`What speaks for ${then} after`} />
          <figcaption>
            <span class="muted">After, for</span>
            <b>{then}</b>
          </figcaption>
        </figure>
      </div>
    </Card>
  );
}

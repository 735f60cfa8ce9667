import { useEffect, useMemo, useState } from 'preact/hooks';
import type { LabAttackInfo, LabModelInfo, LabRun } from '../../../src/gateway/console/api.ts';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Facts } from '../../parts/field.tsx';
import { className, count, figure } from '../../parts/format.ts';
import { Table } from '../../parts/table.tsx';
import { Canvas } from './canvas.tsx';
import { coloursOf, differenceOf, type Frame, gainFor } from './paint.ts';
import { Reasons } from './reasons.tsx';
import { Scores } from './scores.tsx';
import { epsWords, verdictOf, winner } from './words.ts';

/** Milliseconds that a step is seen while the way is played. */
const PACE = 260;

/** What came of a trial: the way of the input and of the scores, step by step, and the reasons of the model before and after. */
export function Outcome({
  run,
  attack,
  model,
  frame,
}: {
  readonly run: LabRun;
  readonly attack: LabAttackInfo;
  readonly model: LabModelInfo;
  readonly frame: Frame | undefined;
}) {
  const last = run.steps.length - 1;
  const [at, setAt] = useState(0);
  const [isPlaying, setPlaying] = useState(true);
  useEffect(() => {
    setAt(matchMedia('(prefers-reduced-motion: reduce)').matches ? last : 0);
    setPlaying(true);
  }, [run.id]);
  useEffect(() => {
    if (!isPlaying) return;
    if (at >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => setAt(at + 1), PACE);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last]);
  const shown = run.steps[Math.min(at, last)]!;
  const verdict = verdictOf(run, attack.needs, model.classNames);
  const flips = run.steps.findIndex(({ scores }) => winner(scores) !== run.label);
  return (
    <>
      <Card tone={verdict.tone === 'changed' ? 'alarmed' : verdict.tone === 'held' ? 'held' : undefined}>
        <div class="lab-verdict" role="status">
          <span class={`chip ${verdict.tone}`}>{verdict.chip}</span>
          <p>{verdict.text}</p>
        </div>
        {frame ? (
          <Pictures run={run} values={shown.values} frame={frame} model={model} scores={shown.scores} />
        ) : (
          <Features run={run} values={shown.values} />
        )}
        {last > 0 && (
          <div class="lab-scrubber">
            <Button
              small
              onPress={() => {
                if (at >= last) setAt(0);
                setPlaying(!isPlaying);
              }}
            >
              {isPlaying ? 'Pause' : at >= last ? 'Play again' : 'Play'}
            </Button>
            <label>
              <span class="unseen">Step of the attack</span>
              <input
                type="range"
                min={0}
                max={last}
                step={1}
                value={at}
                aria-valuetext={`step ${at} of ${last}: ${className(model.classNames, winner(shown.scores))}`}
                onInput={(event) => {
                  setPlaying(false);
                  setAt(Number(event.currentTarget.value));
                }}
              />
              <FlipMark at={flips} last={last} />
            </label>
            <span class="muted count">
              {at === 0
                ? 'before'
                : attack.needs === 'gradient'
                  ? `step ${at} of ${last}`
                  : `after ${count(shown.queries)} ${shown.queries === 1 ? 'question' : 'questions'}`}
            </span>
          </div>
        )}
        <Scores run={run} scores={shown.scores} model={model} />
      </Card>
      <div class="columns">
        <Card title="How much was changed">
          <Facts
            of={[
              [
                'Any value',
                `by at most ${epsWords('linf', run.distance.linf, model.range[1] - model.range[0])}`,
              ],
              ['All together', `${figure(run.distance.l2)} (L2)`],
              ['Values touched', `${count(run.distance.l0)} of ${count(run.original.length)}`],
              attack.seeks !== 'other' && [
                'Your eps',
                `${epsWords(run.norm, run.eps, model.range[1] - model.range[0])}${run.within ? '' : ': it went beyond'}`,
              ],
              ['Questions', count(run.queries)],
              run.gradients > 0 && ['Gradients', count(run.gradients)],
              ['Time', `${figure(run.seconds)} s`],
            ]}
          />
        </Card>
        <Reasons run={run} model={model} frame={frame} />
      </div>
    </>
  );
}

/** Where on the way the decision flips. */
function FlipMark({ at, last }: { readonly at: number; readonly last: number }) {
  if (at <= 0) return null;
  return (
    <svg class="flip-mark" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rest" x="0" y="2" width="100" height="2" />
      <rect
        class="changed"
        x={(100 * at) / last}
        y="1"
        width={Math.max(0.8, 100 - (100 * at) / last)}
        height="4"
      />
    </svg>
  );
}

function Pictures({
  run,
  values,
  scores,
  frame,
  model,
}: {
  readonly run: LabRun;
  readonly values: readonly number[];
  readonly scores: readonly number[];
  readonly frame: Frame;
  readonly model: LabModelInfo;
}) {
  const before = useMemo(() => coloursOf(run.original, frame, model.range), [run.id]);
  const end = useMemo(() => coloursOf(run.steps.at(-1)!.values, frame, model.range), [run.id]);
  // One gain for the whole way, so that the change is seen to grow.
  const gain = useMemo(() => gainFor(before, end), [before, end]);
  const now = useMemo(() => coloursOf(values, frame, model.range), [values]);
  const difference = useMemo(() => differenceOf(before, now, gain), [now, gain]);
  const said = winner(scores);
  return (
    <div class="lab-pictures">
      <figure>
        <Canvas colours={before} frame={frame} alt={`The input: ${className(model.classNames, run.label)}`} />
        <figcaption>
          <span class="muted">Before</span>
          <b>{className(model.classNames, winner(run.clean))}</b>
        </figcaption>
      </figure>
      <span class="sign" aria-hidden="true">
        +
      </span>
      <figure>
        <Canvas
          colours={difference}
          frame={frame}
          alt={`What changed, ${gain} times as strong; grey is unchanged`}
        />
        <figcaption>
          <span class="muted">The change</span>
          <b>{gain === 1 ? 'as it is' : `${gain} × as strong`}</b>
        </figcaption>
      </figure>
      <span class="sign" aria-hidden="true">
        =
      </span>
      <figure class={said === run.label ? '' : 'fallen'}>
        <Canvas
          colours={now}
          frame={frame}
          alt={`The input now: the model says ${className(model.classNames, said)}`}
        />
        <figcaption>
          <span class="muted">Now</span>
          <b>{className(model.classNames, said)}</b>
        </figcaption>
      </figure>
    </div>
  );
}

function Features({ run, values }: { readonly run: LabRun; readonly values: readonly number[] }) {
  const rows = run.original
    .map((before, i) => ({ i, before, now: values[i]! }))
    .sort((a, b) => Math.abs(b.now - b.before) - Math.abs(a.now - a.before))
    .slice(0, 16);
  return (
    <Table
      label="The values that changed most"
      rows={rows}
      keyOf={({ i }) => String(i)}
      columns={[
        { id: 'value', title: 'Value', cell: ({ i }) => `number ${i + 1}` },
        { id: 'before', title: 'Before', number: true, cell: ({ before }) => figure(before) },
        { id: 'now', title: 'Now', number: true, cell: ({ now }) => figure(now) },
        { id: 'change', title: 'Change', number: true, cell: ({ before, now }) => figure(now - before) },
      ]}
    />
  );
}

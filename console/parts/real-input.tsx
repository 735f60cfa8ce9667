import { useState } from 'preact/hooks';
import type { DecisionInput } from '../../src/gateway/console/api.ts';
import { tell } from '../data/ask.ts';
import { useMay } from '../data/session.ts';
import { createStore } from '../data/store.ts';
import { go } from '../shell/router.tsx';
import { Button } from './button.tsx';
import { count, figure } from './format.ts';
import { Picture, type PictureValues } from './picture.tsx';
import { Text } from './text.tsx';

/** A sample of a call that somebody takes to the lab. It was read once and is not read again: each reading is in the log. */
interface LoggedSample {
  readonly decision: string;
  readonly sample: number;
  readonly model: string;
  readonly label: number;
  readonly values: readonly number[];
}

/** What was taken to the lab last. */
export const forLab = createStore<LoggedSample | undefined>(undefined);

/**
 * What a caller really sent, for who may read it; drawn where it is a picture. It is asked for by a press alone, because the log says who read it. `labels`: what the model answered to each
 * sample.
 */
export function RealInput({
  decision,
  labels,
}: {
  readonly decision: string;
  readonly labels: readonly number[];
}) {
  const may = useMay('log.payload');
  const [input, setInput] = useState<DecisionInput | undefined>();
  if (!may) return null;
  if (input === undefined) {
    return (
      <div class="real-input">
        <Button
          small
          icon="search"
          onPress={async () =>
            setInput(await tell<DecisionInput>(`/api/decisions/${encodeURIComponent(decision)}/input`))
          }
        >
          Show what was sent
        </Button>
        <span class="muted small">The log says who looked.</span>
      </div>
    );
  }
  return (
    <div class="real-input" role="status">
      {input.state === 'kept' ? (
        <Samples of={input} labels={labels} />
      ) : (
        <p class="muted">
          {input.state === 'not-kept' ? (
            <>
              It was not kept. <code>serve: log: payloads:</code> says of which calls inputs are.
            </>
          ) : input.state === 'erased' ? (
            'It was erased: the key of whom it is about is gone, so nobody can read it any more.'
          ) : (
            <>
              It cannot be read: <Text of={input.because} most={300} />
            </>
          )}
        </p>
      )}
    </div>
  );
}

function Samples({ of, labels }: { readonly of: DecisionInput; readonly labels: readonly number[] }) {
  const mayTry = useMay('lab.run');
  return (
    <>
      <ul class="real-samples">
        {of.samples.map((values, i) => {
          const picture = pictureOf(of, values);
          return (
            <li key={i}>
              {picture ? (
                <Picture of={picture} alt={`Sample ${i + 1}, as it was sent`} size="large" />
              ) : (
                <code class="numbers">
                  {values
                    .slice(0, 24)
                    .map((value) => (value === null ? 'none' : figure(value)))
                    .join('  ')}
                  {values.length > 24 && ` and ${count(values.length - 24)} more`}
                </code>
              )}
              {mayTry && !values.includes(null) && (
                <Button
                  small
                  icon="lab"
                  onPress={() => {
                    const label = labels[i] ?? 0;
                    forLab.set({
                      decision: of.id,
                      sample: i,
                      model: of.model,
                      label,
                      values: values as readonly number[],
                    });
                    go(`/lab?model=${encodeURIComponent(of.model)}`);
                  }}
                >
                  Attack it in the lab
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {of.tooLarge && (
        <p class="muted">
          It is kept, but too large to be shown: a sample has {count(of.tooLarge.numbers)} numbers, and at
          most {count(of.tooLarge.most)} are read into a page.{' '}
          <code>glacis log show --reveal --payload FOLDER</code> writes all of it.
        </p>
      )}
      {!of.tooLarge && of.samples.length < of.n && (
        <p class="muted small">
          The first {count(of.samples.length)} of {count(of.n)} samples.
        </p>
      )}
    </>
  );
}

/** A sample in [0, 1], where it is a picture; between its own least and greatest value where nobody said which there are. */
export function pictureOf(
  { picture, range }: DecisionInput,
  values: DecisionInput['samples'][number],
): PictureValues | undefined {
  if (picture === undefined) return undefined;
  let [low, high] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (range === undefined)
    for (const value of values) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  const { width, height, channels, layout } = picture;
  return {
    ...{ width, height, channels, planar: layout === 'chw' },
    values: values.map((value) => (value === null ? Number.NaN : (value - low) / (high - low || 1))),
  };
}

import { useMemo, useRef, useState } from 'preact/hooks';
import type { LabInfo, LabModelInfo } from '../../../src/gateway/console/api.ts';
import { Button } from '../../parts/button.tsx';
import { className } from '../../parts/format.ts';
import { failed } from '../../shell/toast.tsx';
import { Canvas } from './canvas.tsx';
import { coloursOf, type Frame, sampleFrom } from './paint.ts';

/** An input to begin with: one of the server's, a person's own, or what a caller sent. */
export interface Chosen {
  readonly id: string | undefined;
  readonly label: number;
  readonly values: readonly number[];
  /** Of a call that was logged. */
  readonly logged?: { readonly decision: string; readonly sample: number };
}

/** Largest file that is decoded, in bytes. */
const MOST_FILE = 20 << 20;

/** The inputs to choose from, as pictures where they are pictures. */
export function Inputs({
  inputs,
  model,
  frame,
  chosen,
  onChoose,
}: {
  readonly inputs: LabInfo['inputs'];
  readonly model: LabModelInfo;
  readonly frame: Frame | undefined;
  readonly chosen: Chosen | undefined;
  readonly onChoose: (input: Chosen) => void;
}) {
  const own = chosen?.id === undefined ? chosen : undefined;
  return (
    <fieldset class="lab-inputs">
      <legend>Begin with</legend>
      <div class="choices">
        {inputs.map(({ id, label, values }) => (
          <label key={id} class="choice" title={className(model.classNames, label)}>
            <input
              type="radio"
              name="lab-input"
              checked={chosen?.id === id}
              onChange={() => onChoose({ id, label, values })}
            />
            {frame ? (
              <Thumb values={values} frame={frame} model={model} label={label} />
            ) : (
              <span class="row-name">{className(model.classNames, label)}</span>
            )}
          </label>
        ))}
        {own && (frame || own.logged) && (
          <label class="choice">
            <input type="radio" name="lab-input" checked onChange={() => onChoose(own)} />
            {frame ? (
              <Thumb values={own.values} frame={frame} model={model} label={own.label} />
            ) : (
              <span class="row-name">the logged call</span>
            )}
          </label>
        )}
        {frame && <OwnPicture frame={frame} model={model} onChoose={onChoose} />}
      </div>
      {own && (
        <label class="inline-field">
          <span>{own.logged ? 'What it really is' : 'What your picture really shows'}</span>
          <select
            value={String(own.label)}
            onChange={(event) => onChoose({ ...own, label: Number(event.currentTarget.value) })}
          >
            {Array.from({ length: model.classes }, (_, i) => (
              <option key={i} value={String(i)}>
                {className(model.classNames, i)}
              </option>
            ))}
          </select>
        </label>
      )}
    </fieldset>
  );
}

function Thumb({
  values,
  frame,
  model,
  label,
}: {
  readonly values: readonly number[];
  readonly frame: Frame;
  readonly model: LabModelInfo;
  readonly label: number;
}) {
  const colours = useMemo(() => coloursOf(values, frame, model.range), [values, frame, model.range]);
  return <Canvas colours={colours} frame={frame} alt={className(model.classNames, label)} />;
}

/** A picture of the person's own, made as large as the model's in this browser. The file itself stays here. */
function OwnPicture({
  frame,
  model,
  onChoose,
}: {
  readonly frame: Frame;
  readonly model: LabModelInfo;
  readonly onChoose: (input: Chosen) => void;
}) {
  const file = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const take = async (given: File | undefined): Promise<void> => {
    if (given === undefined) return;
    setBusy(true);
    try {
      if (given.size > MOST_FILE) throw new Error('The picture is larger than 20 MB.');
      onChoose({ id: undefined, label: 0, values: await valuesOf(given, frame, model.range) });
    } catch (thrown) {
      const said =
        thrown instanceof DOMException ? 'This file is no picture that a browser can read.' : undefined;
      failed(said === undefined ? thrown : new Error(said));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <input
        ref={file}
        type="file"
        accept="image/*"
        class="unseen"
        tabIndex={-1}
        aria-label="A picture of your own"
        onChange={(event) => void take(event.currentTarget.files?.[0])}
      />
      <Button icon="plus" disabled={busy} onPress={() => file.current?.click()}>
        Your own
      </Button>
    </>
  );
}

async function valuesOf(
  file: File,
  frame: Frame,
  range: readonly [number, number],
): Promise<readonly number[]> {
  const { width, height } = frame;
  const picture = await createImageBitmap(file);
  try {
    // The middle of the picture, as large as it goes in the model's proportions.
    const scale = Math.min(picture.width / width, picture.height / height);
    const [w, h] = [width * scale, height * scale];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d')!;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, (picture.width - w) / 2, (picture.height - h) / 2, w, h, 0, 0, width, height);
    return sampleFrom(context.getImageData(0, 0, width, height).data, frame, range);
  } finally {
    picture.close();
  }
}

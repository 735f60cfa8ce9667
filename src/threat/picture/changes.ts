import { hueSlope, hueTurned, saturated, saturationSlope } from './colour.ts';
import type { Frame } from './frame.ts';
import { brightened, brightnessSlope, contrasted, contrastSlope } from './light.ts';
import { turned, turnSlope } from './turn.ts';

/** Changes of a picture that leave what it shows, in the order of their parameters. */
export const PICTURE_CHANGES = ['hue', 'saturation', 'rotation', 'brightness', 'contrast'] as const;

/** One of {@link PICTURE_CHANGES}. */
export type PictureChangeId = (typeof PICTURE_CHANGES)[number];

/** A change with one parameter. */
export interface PictureChange {
  /** The parameter that changes nothing. */
  readonly neutral: number;
  /** Whether only pictures in colour have it. */
  readonly needsColour: boolean;
  /** Writes the changed picture to `out`, within the bounds. */
  apply(frame: Frame, x: Float32Array, parameter: number, out: Float32Array): void;
  /** Writes how it changes with the parameter to `out`; 0 where it is cut off or has a corner. */
  slope(frame: Frame, x: Float32Array, parameter: number, out: Float32Array): void;
}

/** Hue and rotation in degrees, saturation and contrast as factors, brightness as a share of the range. */
export const PICTURE_CHANGE: Readonly<Record<PictureChangeId, PictureChange>> = {
  hue: { neutral: 0, needsColour: true, apply: hueTurned, slope: hueSlope },
  saturation: { neutral: 1, needsColour: true, apply: saturated, slope: saturationSlope },
  rotation: {
    neutral: 0,
    needsColour: false,
    apply: ({ image, bounds }, x, angle, out) => turned(image, x, { angle, dx: 0, dy: 0 }, bounds[0], out),
    slope: ({ image, bounds }, x, angle, out) => turnSlope(image, x, { angle, dx: 0, dy: 0 }, bounds[0], out),
  },
  brightness: { neutral: 0, needsColour: false, apply: brightened, slope: brightnessSlope },
  contrast: { neutral: 1, needsColour: false, apply: contrasted, slope: contrastSlope },
};

/** Applies changes one after another; `parameters` in the order of {@link PICTURE_CHANGES}. Neutral ones leave every bit. */
export function changed(
  frame: Frame,
  x: Float32Array,
  order: readonly PictureChangeId[],
  parameters: Float32Array,
): Float32Array {
  let from = x.slice();
  let to = new Float32Array(x.length);
  for (const id of order) {
    const parameter = parameters[PICTURE_CHANGES.indexOf(id)]!;
    if (parameter === PICTURE_CHANGE[id].neutral) continue;
    PICTURE_CHANGE[id].apply(frame, from, parameter, to);
    [from, to] = [to, from];
  }
  return from;
}

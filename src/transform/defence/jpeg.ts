import { GlacisError } from '../../core/error.ts';
import { numberIn, wholeFrom } from '../../core/option-checks.ts';
import type { Draft } from '../draft.ts';
import { defineDefence } from './defence.ts';
import { cropped, withEdge } from './edge.ts';
import { CHROMINANCE, LUMINANCE, tableFor } from './jpeg-tables.ts';

/** Options of JPEG-like quantisation. */
export interface JpegOptions {
  /** As libjpeg counts it, 1 to 100. */
  readonly quality: number;
  /** Colours at half the resolution (4:2:0), as most encoders store them. */
  readonly subsampling: boolean;
}

const SIDE = 8;

/** Rounds ties up, so that the last bit of a convolution does not decide: 8-bit pictures make many. In steps of the table. */
const TIE = 1e-3;

/** JFIF's RGB to YCbCr, colours centred at 0, and back; rows are what comes out. */
const TO_YCC = [0.299, 0.587, 0.114, -0.168735892, -0.331264108, 0.5, 0.5, -0.418687589, -0.081312411];
const TO_RGB = [1, 0, 1.402, 1, -0.344136286, -0.714136286, 1, 1.772, 0];

/**
 * What saving as JPEG loses (Guo et al. 2018; ITU-T T.81): 8 × 8 blocks go through the cosine transform, each coefficient is rounded to a
 * multiple of its step, and they come back. Three channels are RGB and go through YCbCr; the channels of others are grey pictures. Blocks
 * are filled by repeating the edge. Unlike in a file, pixels and colours are not rounded to bytes on the way, and halved colours are means
 * that come back as squares of 2 × 2.
 */
export const jpeg = defineDefence<JpegOptions>({
  id: 'jpeg',
  title: 'JPEG-like quantisation',
  source: 'https://arxiv.org/abs/1711.00117',
  use: 'Rounds away what the eye does not see. Stops attacks that do not know it; straight-through gradients pass it.',
  random: false,
  defaults: { quality: 75, subsampling: false },
  check(options) {
    wholeFrom(options, 'quality', 1);
    numberIn(options, 'quality', 0, 100);
    if (typeof options.subsampling !== 'boolean')
      throw new GlacisError(
        'option/invalid',
        `subsampling: expected true or false, got ${String(options.subsampling)}`,
      );
  },
  apply(draft, x, form, { quality, subsampling }) {
    const { channels, height, width } = form;
    const isColour = channels === 3;
    const side = isColour && subsampling ? 2 * SIDE : SIDE;
    const full = { channels, height: fill(height, side), width: fill(width, side) };
    const bytes = draft.node('Mul', [x, draft.number(255)]);
    const wide = withEdge(draft, bytes, {
      top: 0,
      left: 0,
      bottom: full.height - height,
      right: full.width - width,
    });
    const changed = isColour
      ? colour(draft, wide, quality, subsampling)
      : shifted(draft, wide, (centred) => quantised(draft, centred, channels, LUMINANCE, quality));
    const whole = full.height === height && full.width === width;
    const back = whole ? changed : cropped(draft, changed, [0, 0, height, width]);
    const clipped = draft.node('Clip', [back, draft.number(0), draft.number(255)]);
    return draft.node('Div', [clipped, draft.number(255)]);
  },
});

const fill = (size: number, side: number) => side * Math.ceil(size / side);

/** `change` on values around 0 instead of 128. */
function shifted(draft: Draft, x: string, change: (centred: string) => string): string {
  const centred = draft.node('Sub', [x, draft.number(128)]);
  return draft.node('Add', [change(centred), draft.number(128)]);
}

function colour(draft: Draft, rgb: string, quality: number, subsampling: boolean): string {
  const mixed = (x: string, matrix: readonly number[]) =>
    draft.node('Conv', [x, draft.floats([3, 3, 1, 1], matrix)], { kernel_shape: [1, 1] });
  const channelsOf = (x: string, from: number, to: number) =>
    draft.node('Slice', [x, draft.ints([from]), draft.ints([to]), draft.ints([1])]);
  const ycc = mixed(rgb, TO_YCC);
  const luma = shifted(draft, channelsOf(ycc, 0, 1), (y) => quantised(draft, y, 1, LUMINANCE, quality));
  const chroma = (x: string) => quantised(draft, x, 2, CHROMINANCE, quality);
  const colours = channelsOf(ycc, 1, 3);
  const halves = { kernel_shape: [2, 2], strides: [2, 2] };
  const ones = subsampling ? draft.floats([2, 1, 2, 2], new Array<number>(8).fill(1)) : '';
  const changed = subsampling
    ? draft.node('ConvTranspose', [chroma(draft.node('AveragePool', [colours], halves)), ones], {
        ...halves,
        group: 2,
      })
    : chroma(colours);
  return mixed(draft.node('Concat', [luma, changed], { axis: 1 }), TO_RGB);
}

/** Blocks to coefficients, rounded to steps, and back: two convolutions with the 64 pictures of the cosine transform. */
function quantised(
  draft: Draft,
  x: string,
  channels: number,
  table: readonly number[],
  quality: number,
): string {
  const steps = Array.from(tableFor(table, quality));
  const basis = draft.floats(
    [channels * SIDE * SIDE, 1, SIDE, SIDE],
    Array.from({ length: channels }, () => BASIS).flat(),
  );
  const attributes = { kernel_shape: [SIDE, SIDE], strides: [SIDE, SIDE], group: channels };
  const step = draft.floats(
    [1, channels * SIDE * SIDE, 1, 1],
    Array.from({ length: channels }, () => steps).flat(),
  );
  const inSteps = draft.node('Div', [draft.node('Conv', [x, basis], attributes), step]);
  const rounded = draft.node('Round', [draft.node('Add', [inSteps, draft.number(TIE)])]);
  return draft.node('ConvTranspose', [draft.node('Mul', [rounded, step]), basis], attributes);
}

/** The orthonormal cosine transform in two dimensions: for each frequency (down, across) a picture of 8 × 8. */
const BASIS: readonly number[] = Array.from({ length: SIDE ** 4 }, (_, at) => {
  const [frequency, place] = [Math.floor(at / SIDE ** 2), at % SIDE ** 2];
  const wave = (k: number, n: number) =>
    (k === 0 ? Math.sqrt(1 / SIDE) : Math.sqrt(2 / SIDE)) *
    Math.cos(((2 * n + 1) * k * Math.PI) / (2 * SIDE));
  return wave(Math.floor(frequency / SIDE), Math.floor(place / SIDE)) * wave(frequency % SIDE, place % SIDE);
});

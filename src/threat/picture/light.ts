import { pixelAt } from '../image-dims.ts';
import { clipped, type Frame, lightChannels } from './frame.ts';

/** Visits the places of all values that carry light. */
function eachLight({ image }: Frame, visit: (at: number) => void): void {
  for (let channel = 0; channel < lightChannels(image); channel++)
    for (let row = 0; row < image.height; row++)
      for (let column = 0; column < image.width; column++) visit(pixelAt(image, channel, row, column));
}

/** Writes the picture with `share` of the range added to every value, clipped, to `out`. */
export function brightened(frame: Frame, x: Float32Array, share: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.set(x);
  eachLight(frame, (at) => {
    out[at] = clipped(x[at]! + share * (high - low), frame.bounds);
  });
}

/** How {@link brightened} changes with the share; written to `out`. */
export function brightnessSlope(frame: Frame, x: Float32Array, share: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.fill(0);
  eachLight(frame, (at) => {
    const v = x[at]! + share * (high - low);
    if (v > low && v < high) out[at] = high - low;
  });
}

/** Writes the picture with every value `factor` times as far from black, clipped, to `out`. */
export function contrasted(frame: Frame, x: Float32Array, factor: number, out: Float32Array): void {
  const [low] = frame.bounds;
  out.set(x);
  eachLight(frame, (at) => {
    out[at] = clipped(low + (x[at]! - low) * factor, frame.bounds);
  });
}

/** How {@link contrasted} changes with the factor; written to `out`. */
export function contrastSlope(frame: Frame, x: Float32Array, factor: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.fill(0);
  eachLight(frame, (at) => {
    const rise = x[at]! - low;
    if (low + rise * factor < high) out[at] = rise;
  });
}

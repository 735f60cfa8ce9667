import { pixelAt } from '../image-dims.ts';
import type { Frame } from './frame.ts';

/** Shares of the chroma that leave red, green and blue at a hue of `k` sixths of the circle, counted from where they leave none. */
const OFFSETS = [5, 3, 1] as const;

function leaving(k: number): number {
  return Math.max(0, Math.min(1, k, 4 - k));
}

/** The slope of {@link leaving}; 0 in its corners. */
function leavingSlope(k: number): number {
  if (k > 0 && k < 1) return 1;
  return k > 3 && k < 4 ? -1 : 0;
}

/**
 * Visits every pixel of a colour picture (of four channels the first three): its largest value, its chroma (largest minus smallest) and
 * its hue in sixths of the circle, for values between 0 and 1 (hexcone model, Smith 1978).
 */
function eachColour(
  { image, bounds: [low, high] }: Frame,
  x: Float32Array,
  visit: (places: readonly [number, number, number], value: number, chroma: number, hue: number) => void,
): void {
  const next = pixelAt(image, 1, 0, 0);
  for (let row = 0; row < image.height; row++)
    for (let column = 0; column < image.width; column++) {
      const at = pixelAt(image, 0, row, column);
      const r = (x[at]! - low) / (high - low);
      const g = (x[at + next]! - low) / (high - low);
      const b = (x[at + 2 * next]! - low) / (high - low);
      const value = Math.max(r, g, b);
      const chroma = value - Math.min(r, g, b);
      let hue = 0;
      if (chroma > 0) {
        if (value === r) hue = ((g - b) / chroma + 6) % 6;
        else if (value === g) hue = (b - r) / chroma + 2;
        else hue = (r - g) / chroma + 4;
      }
      visit([at, at + next, at + 2 * next], value, chroma, hue);
    }
}

/** Writes the picture with its hues turned by `degrees` to `out`. Brightest value and chroma of each pixel stay. */
export function hueTurned(frame: Frame, x: Float32Array, degrees: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.set(x);
  eachColour(frame, x, (places, value, chroma, hue) => {
    for (const [c, at] of places.entries())
      out[at] = low + (high - low) * (value - chroma * leaving(around(OFFSETS[c]! + hue + degrees / 60)));
  });
}

/** How {@link hueTurned} changes with the angle, per degree; written to `out`. */
export function hueSlope(frame: Frame, x: Float32Array, degrees: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.fill(0);
  eachColour(frame, x, (places, _value, chroma, hue) => {
    for (const [c, at] of places.entries())
      out[at] = ((low - high) * chroma * leavingSlope(around(OFFSETS[c]! + hue + degrees / 60))) / 60;
  });
}

/** Writes the picture with each pixel's saturation times `factor` (at most full) to `out`; its hue and brightest value stay. */
export function saturated(frame: Frame, x: Float32Array, factor: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.set(x);
  eachColour(frame, x, (places, value, chroma, hue) => {
    const wider = Math.min(value, chroma * factor);
    for (const [c, at] of places.entries())
      out[at] = low + (high - low) * (value - wider * leaving(around(OFFSETS[c]! + hue)));
  });
}

/** How {@link saturated} changes with the factor; written to `out`. */
export function saturationSlope(frame: Frame, x: Float32Array, factor: number, out: Float32Array): void {
  const [low, high] = frame.bounds;
  out.fill(0);
  eachColour(frame, x, (places, value, chroma, hue) => {
    if (chroma * factor >= value) return;
    for (const [c, at] of places.entries())
      out[at] = (low - high) * chroma * leaving(around(OFFSETS[c]! + hue));
  });
}

/** The remainder of `sixths` by 6, never negative. */
function around(sixths: number): number {
  return ((sixths % 6) + 6) % 6;
}

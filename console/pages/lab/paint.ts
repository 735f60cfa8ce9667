/** How a sample is a picture: `[C, H, W]` (planar), `[H, W, C]` or `[H, W]`. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly planar: boolean;
}

/** The frame of a sample's shape, as the server finds it: `undefined` where it is no picture. */
export function frameOf(dims: readonly number[]): Frame | undefined {
  const [a = 0, b = 0, c = 0] = dims;
  if (dims.length === 2 && a > 1 && b > 1) return { width: b, height: a, channels: 1, planar: true };
  if (dims.length !== 3) return undefined;
  const isChannels = (n: number) => n === 1 || n === 3 || n === 4;
  if (isChannels(a)) return { width: c, height: b, channels: a, planar: true };
  if (isChannels(c)) return { width: b, height: a, channels: c, planar: false };
  return undefined;
}

/** Place of a pixel's channel in a sample. */
export function placeOf({ width, height, channels, planar }: Frame, pixel: number, channel: number): number {
  return planar ? channel * width * height + pixel : pixel * channels + channel;
}

/** Red, green and blue of each pixel in [0, 1]: grey where there is one channel; a fourth one is left out. */
export function coloursOf(
  values: readonly number[],
  frame: Frame,
  [low, high]: readonly [number, number],
): Float32Array {
  const pixels = frame.width * frame.height;
  const colours = new Float32Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let c = 0; c < 3; c++) {
      const value = values[placeOf(frame, pixel, frame.channels >= 3 ? c : 0)] ?? low;
      colours[pixel * 3 + c] = (value - low) / (high - low);
    }
  return colours;
}

/** What changed, `gain` times as strong, around a middle grey. */
export function differenceOf(before: Float32Array, now: Float32Array, gain: number): Float32Array {
  return now.map((value, i) => Math.min(1, Math.max(0, 0.5 + gain * (value - before[i]!))));
}

/** How much a difference can be amplified before its greatest part is cut: a round number from 1 to 100. */
export function gainFor(before: Float32Array, now: Float32Array): number {
  let most = 0;
  for (let i = 0; i < now.length; i++) most = Math.max(most, Math.abs(now[i]! - before[i]!));
  if (most === 0) return 1;
  const gain = 0.5 / most;
  return [100, 50, 20, 10, 5, 2].find((each) => each <= gain) ?? 1;
}

/** What of each pixel speaks for a class (above 0) and against it, summed over its channels and smoothed a little; the strongest is ±1. */
export function heatOf(attribution: readonly number[], frame: Frame): Float32Array {
  const pixels = frame.width * frame.height;
  const sums = new Float32Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let c = 0; c < frame.channels; c++) sums[pixel]! += bounded(attribution[placeOf(frame, pixel, c)]);
  const heat = smoothed(sums, frame);
  const sorted = Array.from(heat, Math.abs).sort((a, b) => a - b);
  // The strongest hundredth is cut: one pixel alone should not make all others pale.
  const most = sorted[Math.floor(sorted.length * 0.99)] || sorted.at(-1) || 1;
  return heat.map((value) => Math.max(-1, Math.min(1, value / most)));
}

/** A number that can be added to many others; what is none counts as nothing. */
function bounded(value: number | undefined): number {
  return Number.isFinite(value) ? Math.max(-1e30, Math.min(1e30, value!)) : 0;
}

/** The mean of each pixel and its eight neighbours. */
function smoothed(values: Float32Array, { width, height }: Frame): Float32Array {
  return values.map((_, pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    let sum = 0;
    let n = 0;
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        sum += values[(y + dy) * width + x + dx]!;
        n++;
      }
    return sum / n;
  });
}

const FOR = [217 / 255, 102 / 255, 11 / 255] as const;
const AGAINST = [36 / 255, 113 / 255, 168 / 255] as const;

/** The picture in grey with heat over it: orange speaks for the class, blue against it. */
export function withHeat(colours: Float32Array, heat: Float32Array): Float32Array {
  const made = new Float32Array(colours.length);
  for (let pixel = 0; pixel < heat.length; pixel++) {
    const at = pixel * 3;
    const grey = 0.3 * colours[at]! + 0.59 * colours[at + 1]! + 0.11 * colours[at + 2]!;
    const faded = 0.25 + 0.6 * grey;
    const strength = Math.min(1, Math.abs(heat[pixel]!)) * 0.85;
    const tone = heat[pixel]! > 0 ? FOR : AGAINST;
    for (let c = 0; c < 3; c++) made[at + c] = faded * (1 - strength) + tone[c]! * strength;
  }
  return made;
}

/** Bytes for a canvas of colours in [0, 1]. */
export function bytesFrom(colours: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = colours.length / 3;
  const bytes = new Uint8ClampedArray(pixels * 4);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < 3; c++) bytes[pixel * 4 + c] = colours[pixel * 3 + c]! * 255;
    bytes[pixel * 4 + 3] = 255;
  }
  return bytes;
}

/** A sample from bytes of a canvas (red, green, blue, opacity) of the frame's size. */
export function sampleFrom(
  bytes: Uint8ClampedArray,
  frame: Frame,
  [low, high]: readonly [number, number],
): readonly number[] {
  const pixels = frame.width * frame.height;
  const values = new Array<number>(pixels * frame.channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const [r, g, b] = [bytes[pixel * 4]!, bytes[pixel * 4 + 1]!, bytes[pixel * 4 + 2]!];
    const channels = frame.channels === 1 ? [0.299 * r + 0.587 * g + 0.114 * b] : [r, g, b, 255];
    for (let c = 0; c < frame.channels; c++)
      values[placeOf(frame, pixel, c)] = Number((low + (channels[c]! / 255) * (high - low)).toFixed(4));
  }
  return values;
}

/** How a sample is a picture. */
export interface ImageDims {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Order of the axes: channels first or last. */
  readonly layout: 'chw' | 'hwc';
}

/**
 * The picture in a sample's shape: `[C, H, W]` or `[H, W, C]` with 1, 3 or 4 channels, or `[H, W]`; `undefined` for anything else. Where both
 * ends could be the channels, the first is taken, as ONNX models mostly have it.
 */
export function imageDimsOf(sampleDims: readonly number[]): ImageDims | undefined {
  const [a, b, c] = sampleDims;
  if (sampleDims.length === 2 && a! > 1 && b! > 1)
    return { channels: 1, height: a!, width: b!, layout: 'chw' };
  if (sampleDims.length !== 3) return undefined;
  const isChannels = (n: number) => n === 1 || n === 3 || n === 4;
  if (isChannels(a!)) return { channels: a!, height: b!, width: c!, layout: 'chw' };
  if (isChannels(c!)) return { channels: c!, height: a!, width: b!, layout: 'hwc' };
  return undefined;
}

/** Index of a pixel's channel in a sample. */
export function pixelAt(
  { channels, height, width, layout }: ImageDims,
  c: number,
  y: number,
  x: number,
): number {
  return layout === 'chw' ? (c * height + y) * width + x : (y * width + x) * channels + c;
}

/** A picture as a corruption works on it: plane after plane, each `height × width`, row-major, values in [0, 1]. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Read only; a corruption writes its result elsewhere. */
  readonly values: Float32Array;
}

/** Applies `change` to each plane by itself. It gets one plane and gives another of the same size. */
export function eachPlane(
  { channels, height, width, values }: Planes,
  change: (plane: Float32Array) => ArrayLike<number>,
): Float32Array {
  const size = height * width;
  const out = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) out.set(change(values.subarray(c * size, (c + 1) * size)), c * size);
  return out;
}

/**
 * Brightness of every pixel: Rec. 601 luma (0.299, 0.587, 0.114) of three channels, as OpenCV's `RGB2GRAY`; the mean of
 * any other number.
 */
export function greyOf({ channels, height, width, values }: Planes): Float32Array {
  const size = height * width;
  const weights = channels === 3 ? [0.299, 0.587, 0.114] : new Array<number>(channels).fill(1 / channels);
  const grey = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += weights[c]! * values[c * size + i]!;
    grey[i] = sum;
  }
  return grey;
}

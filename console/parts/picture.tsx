import { useLayoutEffect, useRef } from 'preact/hooks';
import { plainText } from './text.tsx';

/** Values in [0, 1], row-major `[height, width, channels]` or, with `planar`, `[channels, height, width]`. */
export interface PictureValues {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: ArrayLike<number>;
  readonly planar?: boolean;
}

/** A larger one is not drawn: sketches are small. */
const MOST = 1 << 20;

/** A picture from its values, its pixels as squares. `alt` says what it shows. */
export function Picture({
  of,
  alt,
  size,
}: {
  readonly of: PictureValues;
  readonly alt: string;
  readonly size?: 'small' | 'large';
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = of;
  const isGood = width > 0 && height > 0 && width * height <= MOST && Number.isInteger(width * height);
  useLayoutEffect(() => {
    const context = isGood ? canvas.current?.getContext('2d') : undefined;
    if (!context) return;
    const picture = context.createImageData(width, height);
    picture.data.set(bytesOf(of));
    context.putImageData(picture, 0, 0);
  }, [of]);
  if (!isGood) return <span class="none">no picture</span>;
  return (
    <canvas
      ref={canvas}
      class={`picture ${size ?? ''}`}
      width={width}
      height={height}
      role="img"
      aria-label={plainText(alt)}
      title={plainText(alt)}
    />
  );
}

/** Red, green, blue and opacity of each pixel. What is no number is drawn in a colour of its own, and so is what lies outside [0, 1] cut. */
export function bytesOf({
  width,
  height,
  channels,
  values,
  planar = false,
}: PictureValues): Uint8ClampedArray {
  const pixels = width * height;
  const bytes = new Uint8ClampedArray(pixels * 4);
  for (let i = 0; i < pixels; i++) {
    let lost = false;
    for (let c = 0; c < 3; c++) {
      const from = channels >= 3 ? c : 0;
      const value = values[planar ? from * pixels + i : i * channels + from] ?? Number.NaN;
      lost ||= Number.isNaN(value);
      bytes[i * 4 + c] = value * 255;
    }
    if (lost) bytes.set([217, 102, 11], i * 4);
    bytes[i * 4 + 3] = 255;
  }
  return bytes;
}

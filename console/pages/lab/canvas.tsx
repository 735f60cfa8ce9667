import { useLayoutEffect, useRef } from 'preact/hooks';
import { bytesFrom, type Frame } from './paint.ts';

/** Colours in [0, 1] as a picture whose pixels are squares. `alt` says what it shows. */
export function Canvas({
  colours,
  frame: { width, height },
  alt,
}: {
  readonly colours: Float32Array;
  readonly frame: Frame;
  readonly alt: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    context?.putImageData(new ImageData(bytesFrom(colours), width, height), 0, 0);
  }, [colours, width, height]);
  return <canvas ref={canvas} class="picture" width={width} height={height} role="img" aria-label={alt} />;
}

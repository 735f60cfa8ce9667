import { type ImageDims, pixelAt } from '../threat/image-dims.ts';

/** Where a smaller copy of a picture lies in a frame of the picture's own size; all in pixels. */
export interface Placement {
  readonly height: number;
  readonly width: number;
  readonly top: number;
  readonly left: number;
}

/** A linear map of a picture's elements, up to a constant frame, and its transpose. */
export interface PictureMap {
  /** Writes the mapped picture to `out`. */
  apply(x: Float32Array, out: Float32Array): void;
  /** Writes the transpose of the map, without the frame, to `out`: what a gradient at the result is at `x`. */
  adjoint(gradient: Float32Array, out: Float32Array): void;
}

/** The two pixels, and their shares, that make one along an axis. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

/** Bilinear sampling as in PyTorch (`align_corners=False`, no smoothing): pixel `i` of `to` lies at `(i + ½) · from / to − ½`. */
function tapsOf(from: number, to: number): Taps {
  const taps = { first: new Int32Array(to), second: new Int32Array(to), share: new Float64Array(to) };
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    taps.first[i] = Math.min(Math.floor(at), from - 1);
    taps.second[i] = Math.min(taps.first[i]! + 1, from - 1);
    taps.share[i] = at - taps.first[i]!;
  }
  return taps;
}

/** Resizes a picture bilinearly and places it in a frame of its own size, the rest being `fill`. Cost: four taps a pixel. */
export function resizeAndPad(
  image: ImageDims,
  { height, width, top, left }: Placement,
  fill: number,
): PictureMap {
  const rows = tapsOf(image.height, height);
  const columns = tapsOf(image.width, width);
  const down = pixelAt(image, 0, 1, 0);
  const right = pixelAt(image, 0, 0, 1);
  /** Visits every pixel that is not frame with its four sources and their shares. */
  const each = (
    visit: (to: number, a: number, b: number, c: number, d: number, v: number, u: number) => void,
  ) => {
    for (let channel = 0; channel < image.channels; channel++) {
      const origin = pixelAt(image, channel, 0, 0);
      for (let y = 0; y < height; y++) {
        const upper = origin + rows.first[y]! * down;
        const lower = origin + rows.second[y]! * down;
        for (let x = 0; x < width; x++) {
          const near = columns.first[x]! * right;
          const far = columns.second[x]! * right;
          const to = origin + (y + top) * down + (x + left) * right;
          visit(to, upper + near, upper + far, lower + near, lower + far, rows.share[y]!, columns.share[x]!);
        }
      }
    }
  };
  return {
    apply(x, out) {
      out.fill(fill);
      each((to, a, b, c, d, v, u) => {
        const above = x[a]! + u * (x[b]! - x[a]!);
        out[to] = above + v * (x[c]! + u * (x[d]! - x[c]!) - above);
      });
    },
    adjoint(gradient, out) {
      out.fill(0);
      each((to, a, b, c, d, v, u) => {
        const g = gradient[to]!;
        out[a]! += (1 - v) * (1 - u) * g;
        out[b]! += (1 - v) * u * g;
        out[c]! += v * (1 - u) * g;
        out[d]! += v * u * g;
      });
    },
  };
}

import type { Rng } from '../../core/random.ts';
import { type Border, reflect, reflect101 } from './border.ts';
import type { Corruption } from './corruption.ts';
import { gaussianFilter } from './gaussian-filter.ts';
import { eachPlane } from './planes.ts';
import { parametersFor, type SeverityTable } from './severity.ts';

/** The published ImageNet-C table counts in sides of 244 pixels where the pictures have 224. */
const WIDE = 244 / 224;

/**
 * In shares of the shorter side: size of the displacements before smoothing, standard deviation of that smoothing, and how far the
 * three points of the affine map may move.
 */
const ELASTIC: SeverityTable = {
  cifar: [
    [0, 0, 0.08],
    [0.05, 0.2, 0.07],
    [0.08, 0.06, 0.06],
    [0.1, 0.04, 0.05],
    [0.1, 0.03, 0.03],
  ],
  tinyImageNet: [
    [0, 0, 0.08],
    [0.05, 0.3, 0.06],
    [0.1, 0.08, 0.06],
    [0.1, 0.03, 0.03],
    [0.16, 0.03, 0.02],
  ],
  imageNet: [
    [2 * WIDE, 0.7 * WIDE, 0.1 * WIDE],
    [2 * WIDE, 0.08 * WIDE, 0.2 * WIDE],
    [0.05 * WIDE, 0.01 * WIDE, 0.02 * WIDE],
    [0.07 * WIDE, 0.01 * WIDE, 0.02 * WIDE],
    [0.12 * WIDE, 0.01 * WIDE, 0.02 * WIDE],
  ],
};

const SMOOTHING = { truncate: 3, border: reflect };

/**
 * Stretched and wobbled: a random affine map, then a smooth random displacement of every pixel, both with linear interpolation.
 * Unlike the other corruptions its lengths grow with the picture, as the published programs write them.
 */
export const elasticTransform: Corruption = {
  id: 'elastic-transform',
  title: 'Elastic transform',
  family: 'digital',
  distort(picture, severity, rng) {
    const { height, width } = picture;
    const side = Math.min(height, width);
    const [strength, smoothness, stretch] = parametersFor(ELASTIC, picture, severity).map(
      (share) => share * side,
    );
    const stretched = affineSource(height, width, stretch!, rng);
    const displacement = () => {
      const raw = Float64Array.from({ length: height * width }, () => 2 * rng.uniform() - 1);
      return gaussianFilter(raw, height, width, smoothness!, SMOOTHING);
    };
    const [dx, dy] = [displacement(), displacement()];
    const wobbled: Source = {
      x: dx.map((value, i) => (i % width) + strength! * value),
      y: dy.map((value, i) => Math.floor(i / width) + strength! * value),
    };
    return eachPlane(picture, (plane) =>
      resample(resample(plane, height, width, reflect101, stretched), height, width, reflect, wobbled),
    );
  },
};

/** Where each pixel of the result comes from, in pixels. */
interface Source {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** The inverse of an affine map that moves three points around the middle by up to `stretch` pixels each way. */
function affineSource(height: number, width: number, stretch: number, rng: Rng): Source {
  const middleX = Math.floor(width / 2);
  const middleY = Math.floor(height / 2);
  const away = Math.max(1, Math.floor(Math.min(height, width) / 3));
  const moved = () => stretch * (2 * rng.uniform() - 1);
  const [x0, y0] = [middleX + away + moved(), middleY + away + moved()];
  const [x1, y1] = [middleX + away + moved(), middleY - away + moved()];
  const [x2, y2] = [middleX - away + moved(), middleY - away + moved()];
  // p − p₀ = a · (p₁ − p₀) + b · (p₂ − p₀) comes from the same a and b at the points before they moved.
  const [ux, uy, vx, vy] = [x1 - x0, y1 - y0, x2 - x0, y2 - y0];
  const area = ux * vy - uy * vx;
  const source = { x: new Float64Array(height * width), y: new Float64Array(height * width) };
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++, to++) {
      const a = ((x - x0) * vy - (y - y0) * vx) / area;
      const b = ((y - y0) * ux - (x - x0) * uy) / area;
      source.y[to] = middleY + away - 2 * away * (a + b);
      source.x[to] = middleX + away - 2 * away * b;
    }
  return source;
}

/** A plane with each pixel taken from its source, linearly between the four pixels around that. */
function resample(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  border: Border,
  source: Source,
): Float64Array {
  const out = new Float64Array(height * width);
  for (let to = 0; to < out.length; to++) {
    const left = Math.floor(source.x[to]!);
    const top = Math.floor(source.y[to]!);
    const u = source.x[to]! - left;
    const v = source.y[to]! - top;
    const up = border(top, height) * width;
    const down = border(top + 1, height) * width;
    const west = border(left, width);
    const east = border(left + 1, width);
    out[to] =
      (1 - v) * ((1 - u) * plane[up + west]! + u * plane[up + east]!) +
      v * ((1 - u) * plane[down + west]! + u * plane[down + east]!);
  }
  return out;
}

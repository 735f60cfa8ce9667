import { GlacisError } from '../../core/error.ts';

/** The shape of a client's last queries. Shares are of the queries that were compared. */
export interface WalkShape {
  /** Share that lies on the line through two of the queries before: searches by halves, steps along a gradient. */
  readonly collinear: number;
  /** Share that got another class than the nearest of the queries before: about a half of a walk along a boundary. */
  readonly flipped: number;
  /** Mean length of a step to the nearest of the queries before, as a share of the mean length to the others: near 1 of unrelated queries, small of a walk. */
  readonly nearness: number;
  readonly compared: number;
}

/** Watches one client's queries. */
export interface BoundaryWalk {
  /** Takes the vector at `offset` (a sample, its cells, its features) and the class that it got. */
  observe(x: Float32Array, offset: number, label: number): void;
  /** Over the queries so far, later ones weighing more. */
  shape(): WalkShape;
}

/** Queries before that each is compared with, and after how many the weight has fallen to 1/e. */
const BEFORE = 4;
const FADES = 64;

/** How far from the line a query may be, as a share of the distance between the two that make it. */
const OFF = 0.02;

/**
 * Features of a sequence of queries that walks towards a decision boundary or along it: for monitors to combine, no verdict by themselves. Three points lie on a line where the
 * two shorter distances add up to the longest, which random projections and means of cells keep. Repeats are left out. Memory: 4 vectors. Cost: 4 distances a query.
 * Errors: `option/invalid`.
 */
export function boundaryWalk(width: number): BoundaryWalk {
  if (!(Number.isInteger(width) && width >= 1))
    throw new GlacisError('option/invalid', `boundary walk: expected a length of at least 1, got ${width}`);
  const rows = new Float32Array(BEFORE * width);
  const labels = new Int32Array(BEFORE);
  /** Distances among the rows that are held. */
  const between = new Float64Array(BEFORE * BEFORE);
  const to = new Float64Array(BEFORE);
  let added = 0;
  let compared = 0;
  let weight = 0;
  const sums = { collinear: 0, flipped: 0, nearness: 0 };
  return {
    observe(x, offset, label) {
      const held = Math.min(added, BEFORE);
      for (let row = 0; row < held; row++) {
        let total = 0;
        for (let i = 0; i < width; i++) total += (x[offset + i]! - rows[row * width + i]!) ** 2;
        to[row] = Math.sqrt(total);
        if (!(to[row]! > 0)) return;
      }
      if (held === BEFORE) {
        let nearest = 0;
        let mean = 0;
        let onLine = false;
        for (let a = 0; a < BEFORE; a++) {
          mean += to[a]! / BEFORE;
          if (to[a]! < to[nearest]!) nearest = a;
          for (let b = 0; b < a; b++) {
            const sides = [to[a]!, to[b]!, between[a * BEFORE + b]!].sort((p, q) => p - q);
            onLine ||= sides[0]! + sides[1]! - sides[2]! < OFF * OFF * sides[2]!;
          }
        }
        const fade = Math.exp(-1 / FADES);
        weight = weight * fade + 1;
        sums.collinear = sums.collinear * fade + (onLine ? 1 : 0);
        sums.flipped = sums.flipped * fade + (labels[nearest] === label ? 0 : 1);
        sums.nearness = sums.nearness * fade + Math.min(1, to[nearest]! / mean);
        compared++;
      }
      const at = added % BEFORE;
      for (let row = 0; row < held; row++) {
        between[at * BEFORE + row] = to[row]!;
        between[row * BEFORE + at] = to[row]!;
      }
      rows.set(x.subarray(offset, offset + width), at * width);
      labels[at] = label;
      added++;
    },
    shape: () => ({
      collinear: weight > 0 ? sums.collinear / weight : 0,
      flipped: weight > 0 ? sums.flipped / weight : 0,
      nearness: weight > 0 ? sums.nearness / weight : 1,
      compared,
    }),
  };
}

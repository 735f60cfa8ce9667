/** How far from the line a point may be, as a share of the distance between the two that make it. */
const OFF = 0.02;

/** The last points of a cluster. */
export interface LastPoints {
  /**
   * Takes a point with the class that it got. `flipped`: another class than the nearest of the points before; `halving`: it lies between two of them that got different classes, on the line through them: a search by
   * halves for the border. A repeat tells nothing: undefined, and it is not remembered.
   */
  take(x: Float32Array, label: number): { readonly flipped: boolean; readonly halving: boolean } | undefined;
}

/** Points that are remembered. */
const MOST = 8;

const NO_ROWS = new Float32Array(0);
const NO_LABELS = new Int32Array(0);
const NO_DISTANCES = new Float64Array(0);
const FIRST = { flipped: false, halving: false };

/** Opens one for points of `width` numbers. Memory: 8 points. Cost: 8 distances a point. */
export function lastPoints(width: number): LastPoints {
  /** The first point, while it is alone: most have no other near them, and room for eight is made for few. */
  let alone: { readonly x: readonly number[]; readonly label: number } | undefined;
  let [rows, labels, between, to] = [NO_ROWS, NO_LABELS, NO_DISTANCES, NO_DISTANCES];
  const makeRoom = ({ x, label }: NonNullable<typeof alone>): void => {
    rows = new Float32Array(MOST * width);
    labels = new Int32Array(MOST);
    between = new Float64Array(MOST * MOST);
    to = new Float64Array(MOST);
    rows.set(x);
    labels[0] = label;
    alone = undefined;
  };
  let added = 0;
  return {
    take(x, label) {
      if (added === 0) {
        added = 1;
        alone = { x: Array.from(x.subarray(0, width)), label };
        return FIRST;
      }
      if (alone !== undefined) makeRoom(alone);
      const held = Math.min(added, MOST);
      let nearest = 0;
      for (let row = 0; row < held; row++) {
        let total = 0;
        for (let i = 0; i < width; i++) {
          const gap = x[i]! - rows[row * width + i]!;
          total += gap * gap;
        }
        to[row] = Math.sqrt(total);
        if (!(to[row]! > 0)) return undefined;
        if (to[row]! < to[nearest]!) nearest = row;
      }
      let halving = false;
      for (let a = 0; a < held && !halving; a++)
        for (let b = 0; b < a; b++) {
          const whole = between[a * MOST + b]!;
          if (labels[a] === labels[b] || to[a]! > whole || to[b]! > whole) continue;
          if (to[a]! + to[b]! - whole < OFF * OFF * whole) {
            halving = true;
            break;
          }
        }
      const flipped = labels[nearest] !== label;
      const at = added % MOST;
      for (let row = 0; row < held; row++) {
        between[at * MOST + row] = to[row]!;
        between[row * MOST + at] = to[row]!;
      }
      rows.set(x.subarray(0, width), at * width);
      labels[at] = label;
      added++;
      return { flipped, halving };
    },
  };
}

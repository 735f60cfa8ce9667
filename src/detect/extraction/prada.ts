import { GlacisError } from '../../core/error.ts';
import { shapiroWilk } from './shapiro-wilk.ts';

/** How {@link prada} looks at one client's queries. */
export interface PradaSettings {
  /** Elements of a query, or of whatever stands for it. */
  readonly width: number;
  readonly classes: number;
  /** Most queries that a class's growing set holds; the published method has no bound. */
  readonly most: number;
  /** Most distances that are judged, the latest; the published method judges all, up to 5000. */
  readonly window: number;
}

/** What {@link prada} remembers: plain JSON, and the rows of all classes, in the order of `sets`. */
export interface PradaState {
  readonly asked: number;
  readonly sets: readonly {
    readonly label: number;
    readonly size: number;
    readonly threshold: number;
    readonly joined: number;
    readonly sum: number;
    readonly squares: number;
  }[];
  readonly distances: readonly number[];
  readonly labels: readonly number[];
  readonly rows: Float32Array;
}

/** One client's queries. */
export interface Prada {
  /**
   * Takes the query at `offset` of `x`, which the model put in class `label`. Every tenth query gives the statistic W of the distances: below a threshold (published:
   * 0.90 to 0.96) it is an attack; `undefined` in between, and while there are no more than 100 distances to judge.
   */
  observe(x: Float32Array, offset: number, label: number): number | undefined;
  snapshot(): PradaState;
}

/** Queries between two judgements, distances of a class that count, and distances that are needed. */
const EVERY = 10;
const FEWEST_OF_CLASS = 10;
const FEWEST = 100;

interface Class {
  /** The growing set, row after row. */
  rows: Float32Array;
  size: number;
  threshold: number;
  /** Distances of those that joined it, whose mean less their deviation is the threshold. */
  joined: number;
  sum: number;
  squares: number;
  counted: number;
}

/**
 * PRADA (Juuti et al. 2019, "PRADA: Protecting Against DNN Model Stealing Attacks"), following the authors' program: the distance of each query to the nearest of a growing set of earlier ones of
 * its class; benign clients' distances are taken to be normal, those of synthetic queries are not.
 *
 * Its known weaknesses are the method's own: natural pictures of anything (Knockoff) have normal distances; honest data need not (Atli et al. 2020 found false alarms of
 * up to all clients); a queue split over clients, or dummy queries that fill the gaps, pass. Glacis offers it as a published baseline; see docs/guards-stateful.md for what
 * it catches.
 *
 * Deviation: `most` and `window` bound the memory, where the published sets only grow. Cost: a distance to each of up to `most` rows.
 * Errors: `option/invalid`; `result/invalid` (a state of other settings).
 */
export function prada({ width, classes, most, window }: PradaSettings, state?: PradaState): Prada {
  if (!(most >= 2 && window >= FEWEST && window <= 5000 && width >= 1 && classes >= 1))
    throw new GlacisError(
      'option/invalid',
      `prada: expected a window from ${FEWEST} to 5000 and sets of at least 2`,
    );
  const sets = new Map<number, Class>();
  const distances: number[] = [...(state?.distances ?? [])];
  const labels: number[] = [...(state?.labels ?? [])];
  let asked = state?.asked ?? 0;
  let from = 0;
  for (const { label, ...rest } of state?.sets ?? []) {
    const to = from + Math.min(rest.size, most) * width;
    const counted = labels.filter((each) => each === label).length;
    sets.set(label, { ...rest, rows: state!.rows.slice(from, to), counted });
    from = to;
  }
  if (state !== undefined && (from !== state.rows.length || labels.some((label) => !sets.has(label))))
    throw new GlacisError('result/invalid', 'prada: expected a state of these settings');
  return {
    snapshot() {
      const list = [...sets];
      const rows = new Float32Array(
        list.reduce((total, [, { size }]) => total + Math.min(size, most) * width, 0),
      );
      let at = 0;
      for (const [, set] of list) {
        const held = set.rows.subarray(0, Math.min(set.size, most) * width);
        rows.set(held, at);
        at += held.length;
      }
      const plain = list.map(([label, { size, threshold, joined, sum, squares }]) => ({
        ...{ label, size, threshold, joined, sum, squares },
      }));
      return { asked, sets: plain, distances: [...distances], labels: [...labels], rows };
    },
    observe(x, offset, label) {
      asked++;
      let set = sets.get(label);
      if (!set) {
        if (sets.size >= classes) return undefined;
        set = {
          rows: new Float32Array(4 * width),
          size: 0,
          threshold: 0,
          joined: 0,
          sum: 0,
          squares: 0,
          counted: 0,
        };
        sets.set(label, set);
        add(set, x, offset, width, most);
      } else {
        const distance = nearest(set, x, offset, width);
        distances.push(distance);
        labels.push(label);
        set.counted++;
        if (distances.length > window) {
          distances.shift();
          sets.get(labels.shift()!)!.counted--;
        }
        if (distance > set.threshold) {
          add(set, x, offset, width, most);
          set.joined++;
          set.sum += distance;
          set.squares += distance * distance;
          const mean = set.sum / set.joined;
          const deviation = Math.sqrt(Math.max(0, set.squares / set.joined - mean * mean));
          set.threshold = Math.max(set.threshold, mean - deviation);
        }
      }
      if (asked % EVERY !== 0) return undefined;
      const pool = distances.filter((_, i) => sets.get(labels[i]!)!.counted >= FEWEST_OF_CLASS);
      const mean = pool.reduce((total, d) => total + d, 0) / pool.length;
      const deviation = Math.sqrt(pool.reduce((total, d) => total + (d - mean) ** 2, 0) / pool.length);
      const kept = pool.filter((d) => Math.abs(d - mean) < 3 * deviation);
      return kept.length > FEWEST ? shapiroWilk(kept) : undefined;
    },
  };
}

/** Adds a row; where the set is full, over the oldest. */
function add(set: Class, x: Float32Array, offset: number, width: number, most: number): void {
  const at = set.size % most;
  if ((at + 1) * width > set.rows.length) {
    const larger = new Float32Array(Math.min(Math.max(2 * set.rows.length, 4 * width), most * width));
    larger.set(set.rows);
    set.rows = larger;
  }
  set.rows.set(x.subarray(offset, offset + width), at * width);
  set.size++;
}

function nearest({ rows, size }: Class, x: Float32Array, offset: number, width: number): number {
  let least = Number.POSITIVE_INFINITY;
  const count = Math.min(size, Math.floor(rows.length / width));
  for (let row = 0; row < count; row++) {
    let total = 0;
    for (let i = 0, from = row * width; i < width; i += 16) {
      const end = Math.min(width, i + 16);
      for (let j = i; j < end; j++) {
        const gap = x[offset + j]! - rows[from + j]!;
        total += gap * gap;
      }
      if (total >= least) break;
    }
    if (total < least) least = total;
  }
  return Math.sqrt(least);
}

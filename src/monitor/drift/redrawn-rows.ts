import type { Rng } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import { joinRows, type Rows, takeRows } from './rows.ts';

/** Calm rows drawn again: what windows and a reference may look like by chance. */
export interface RedrawnRows {
  /** As many rows as a window has. */
  window(): Rows;
  /** At most `most` rows of callers drawn again. Undefined where there are too few callers to draw from. */
  reference(most: number): Rows | undefined;
}

/** A caller with this share of the traffic has it in every window; of the others each window has some. */
const HEAVY = 0.1;
/** Fewest callers that are taken for a draw from many. */
const FEWEST_CALLERS = 10;
/** Rows that are drawn from. */
const POOL = 40_000;

/** What a caller sent in one window: places in the pool. */
type Block = readonly number[];

/** A caller, window by window. */
interface Caller {
  readonly blocks: Block[];
  rows: number;
}

/**
 * A block bootstrap of calm windows. What is drawn is all that one caller sent in one window, so that what is alike in its runs stays together; each row keeps its place in the window, so that bursts stay bursts. Callers with a tenth of the traffic
 * keep their share; the others are drawn with replacement, for windows and, where there are ten or more, for the reference: those of the days to come are another such draw.
 *
 * @param windows calm rows, window by window, each in the order of time; at least one row
 * @param size rows of a window
 * @see Künsch 1989, "The jackknife and the bootstrap for general stationary observations"; Field and Welsh 2007, "Bootstrapping clustered data"
 */
export function redrawRows(windows: readonly Rows[], size: number, rng: Rng): RedrawnRows {
  const chosen = someOf(windows, rng);
  const pool = joinRows(chosen);
  const callers = callersOf(chosen);
  const heavy = callers.filter(({ rows }) => rows >= HEAVY * pool.n);
  const light = callers.filter(({ rows }) => rows < HEAVY * pool.n);
  const blocks = light.flatMap((caller) => caller.blocks);
  /** How far into its window each row was. */
  const moments = chosen.flatMap(({ n }) => Array.from({ length: n }, (_, i) => i / n));
  const one = <T>(list: readonly T[]): T => list[rng.integer(list.length)]!;
  return {
    window() {
      const places: number[] = [];
      const fill = (from: readonly Block[], until: number) => {
        while (places.length < until)
          places.push(...shuffle([...one(from)], rng).slice(0, until - places.length));
      };
      let owed = 0;
      for (const caller of heavy) {
        owed += (caller.rows / pool.n) * size;
        fill(caller.blocks, Math.min(size, Math.floor(owed + rng.uniform())));
      }
      fill(blocks.length > 0 ? blocks : heavy.flatMap((caller) => caller.blocks), size);
      return takeRows(
        pool,
        places.sort((a, b) => moments[a]! - moments[b]!),
      );
    },
    reference(most) {
      if (light.length < FEWEST_CALLERS) return undefined;
      const again = [...heavy, ...light.map(() => one(light))];
      return takeRows(
        pool,
        shuffle(
          again.flatMap((caller) => caller.blocks.flat()),
          rng,
        ).slice(0, most),
      );
    },
  };
}

/** Windows chosen fairly, as many as make the pool. */
function someOf(windows: readonly Rows[], rng: Rng): readonly Rows[] {
  const chosen: Rows[] = [];
  let total = 0;
  for (const rows of shuffle([...windows], rng)) {
    if (total > 0 && total + rows.n > POOL) break;
    chosen.push(rows);
    total += rows.n;
  }
  return chosen;
}

/** Callers with their places in all windows joined. */
function callersOf(windows: readonly Rows[]): readonly Caller[] {
  const callers = new Map<string, Caller>();
  let place = 0;
  for (const { principals } of windows) {
    const own = new Map<string, number[]>();
    for (const name of principals) {
      const block = own.get(name) ?? [];
      block.push(place++);
      own.set(name, block);
    }
    for (const [name, block] of own) {
      const caller = callers.get(name) ?? { blocks: [], rows: 0 };
      caller.blocks.push(block);
      caller.rows += block.length;
      callers.set(name, caller);
    }
  }
  return [...callers.values()];
}

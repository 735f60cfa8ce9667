/** Something that has batches to run. */
export interface Source {
  /** Lanes that it may run on. */
  readonly lanes: readonly number[];
  /** Runs only where nobody else has anything to do: shadows. */
  readonly background: boolean;
  /** When the oldest of what may run now came; `undefined` while nothing may. */
  oldest(): number | undefined;
  /** Takes a batch and runs it; `undefined` where there was none after all. */
  start(lane: number): { readonly expected: number; readonly done: Promise<void> } | undefined;
}

/** Shares worker threads among the models. */
export interface LanePool {
  readonly count: number;
  /** Lanes that are in a run that took too long, and cannot be ended: nothing is sent there until it ends by itself, or the lane has a fresh thread. */
  readonly stuck: number;
  readonly isStuck: (lane: number) => boolean;
  /** A lane has a fresh thread: what ran on the old one has nothing to do with it any more. */
  replace(lane: number): void;
  add(source: Source): {
    /** There is something to run. What comes in the same turn of the event loop is waited for: it may go along. */
    wake(): void;
    /** A run on this lane, as it is now, is about to begin. */
    begin(lane: number): LaneRun;
    /** Whether no lane of this source can be used. */
    readonly isStuck: boolean;
    remove(): void;
  };
}

/** A run on a lane. */
export interface LaneRun {
  /** It takes too long; false where its lane has a fresh thread already. */
  tooLong(): boolean;
  /** It has ended after all. */
  ended(): void;
}

/** A run shorter than this, in milliseconds, has the next one wait behind it in the worker, so that the worker never waits for this thread. */
const SHORT = 4;

interface Lane {
  readonly index: number;
  runs: number;
  /** Milliseconds that what is under way should take. */
  expected: number;
  /** Runs under way that took too long. */
  stuck: number;
}

/** A pool of `count` lanes, numbered from 0. The oldest batch of all models goes first, to the lane with the least to do. */
export function lanePool(count: number): LanePool {
  const lanes: Lane[] = Array.from({ length: count }, (_, index) => laneAt(index));
  const sources = new Set<Source>();
  let planned = false;

  const hasRoom = ({ runs, expected, stuck }: Lane): boolean =>
    stuck === 0 && (runs === 0 || (runs === 1 && expected < SHORT));
  /** The source whose oldest has waited longest, and a lane for it. */
  const choose = (background: boolean) => {
    let best: { readonly source: Source; readonly lane: Lane; readonly came: number } | undefined;
    for (const source of sources) {
      if (source.background !== background) continue;
      const came = source.oldest();
      if (came === undefined || (best && best.came <= came)) continue;
      let lane: Lane | undefined;
      for (const index of source.lanes) {
        const each = lanes[index]!;
        if (background ? each.runs > 0 : !hasRoom(each)) continue;
        if (
          !lane ||
          each.expected < lane.expected ||
          (each.expected === lane.expected && each.runs < lane.runs)
        )
          lane = each;
      }
      if (lane) best = { source, lane, came };
    }
    return best;
  };
  const dispatch = (): void => {
    planned = false;
    for (;;) {
      const next = choose(false) ?? choose(true);
      if (!next) return;
      const { source, lane } = next;
      const started = source.start(lane.index);
      if (!started) continue;
      const { expected } = started;
      lane.runs++;
      lane.expected += expected;
      void started.done.finally(() => {
        lane.runs--;
        lane.expected = lane.runs === 0 ? 0 : lane.expected - expected;
        dispatch();
      });
    }
  };
  const wake = (): void => {
    if (planned) return;
    planned = true;
    setImmediate(dispatch);
  };
  return {
    count,
    get stuck() {
      return lanes.filter(({ stuck }) => stuck > 0).length;
    },
    isStuck: (lane) => lanes[lane]!.stuck > 0,
    replace(lane) {
      lanes[lane] = laneAt(lane);
    },
    add(source) {
      sources.add(source);
      return {
        wake,
        begin(index) {
          const lane = lanes[index]!;
          let isLong = false;
          return {
            tooLong() {
              isLong = true;
              lane.stuck++;
              return lanes[index] === lane;
            },
            ended() {
              if (isLong) lane.stuck--;
            },
          };
        },
        get isStuck() {
          return source.lanes.every((lane) => lanes[lane]!.stuck > 0);
        },
        remove: () => void sources.delete(source),
      };
    },
  };
}

function laneAt(index: number): Lane {
  return { index, runs: 0, expected: 0, stuck: 0 };
}

import type { Tensor } from '../../oip/tensor.ts';
import type { HostTensor } from '../../runtime/array.ts';
import { Refused } from '../refusal.ts';
import type { ModelAnswer, RunOptions } from '../served-model.ts';
import { bytesOf, featureRows, type Job, joined, type Piece } from './job.ts';
import type { LanePool } from './lane-pool.ts';
import type { Ports } from './ports.ts';
import { gathered, hosted, type Rows, scattered, unhosted } from './rows.ts';
import { runBuffers } from './run-buffers.ts';

/** How requests become runs. */
export interface Batching {
  readonly ports: Ports;
  /** The output that holds features, and their number. */
  readonly features?: { readonly output: string; readonly length: number } | undefined;
  /** Most rows in one run. */
  readonly most: number;
  /** Whether rows of several callers may run together. */
  readonly shared: boolean;
  /** Milliseconds that a request waits for others while a lane is free. */
  readonly wait: number;
  /** Milliseconds that a run should take at most, where fewer rows make it shorter. */
  readonly longest: number;
  /** Milliseconds after which nobody waits for a run any more; the thread stays busy with it. */
  readonly timeout: number;
  /** Most rows that may wait. */
  readonly queue: number;
  /** Runs only where nobody else has anything to do. */
  readonly background: boolean;
  /** Read each time: a lane that is lost is not there until it is back. */
  readonly lanes: readonly number[];
  readonly pool: LanePool;
  /** Hears that a run on a lane took longer than `timeout`. */
  readonly onStuck?: ((lane: number) => void) | undefined;
  /** Milliseconds of a clock that only goes forward: `performance.now`. */
  readonly clock: () => number;
  run(
    lane: number,
    feeds: Readonly<Record<string, HostTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, HostTensor>>>;
}

/** Runs requests of several callers together. */
export interface Batcher {
  /** Errors: `Refused`: `unavailable` (too many wait, or it is closed), `late` (the deadline passed, or the caller has gone), `failed`. */
  run(inputs: readonly Tensor[], options: RunOptions): Promise<ModelAnswer>;
  /** Rows that wait. */
  readonly waiting: number;
  /** Requests that have no answer yet. */
  readonly open: number;
  /** There is a lane more. */
  wake(): void;
  /** Takes nothing more and resolves when all that was taken has its answer. */
  close(): Promise<void>;
}

/** Most bytes of inputs that may wait for one model. */
const MOST_WAITING_BYTES = 256 * 2 ** 20;
/** Most bytes of inputs in one run, unless a single row has more. */
const MOST_RUN_BYTES = 64 * 2 ** 20;
/** Seconds after which callers may ask a model again whose threads are all in runs that do not end. */
const ASK_AGAIN = 10;
/** How much the newest run says about the next. */
const NEWEST = 0.2;

/**
 * A queue before the runtime. A free lane takes what is there, oldest first, as many rows of one shape as fit; so batches grow by themselves with the load, and
 * a lone request waits for nobody unless told to. Who has gone or is too late is left out before a run. A run of several callers that fails is repeated for each alone: one
 * caller's input must not cost another the answer.
 */
export function openBatcher(batching: Batching): Batcher {
  const { ports, pool, lanes, clock, features } = batching;
  const whole = ports.rows === undefined;
  const fixed = typeof ports.rows === 'number' ? ports.rows : undefined;
  const most = fixed ?? batching.most;
  const names = ports.outputs.map(({ name }) => name);
  const withFeatures = features ? [...names, features.output] : names;
  /** Where the sizes behind the first axis are open, they tell which requests fit together. */
  const varies = ports.inputs.some(({ shape }) => shape.slice(1).includes(-1));
  const buffers = runBuffers(MOST_RUN_BYTES);
  let queue: Job[] = [];
  let waiting = 0;
  let bytes = 0;
  let open = 0;
  let closed: (() => void) | undefined;
  let isClosed = false;
  let millisecondsPerRow: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let sweepAt = Number.POSITIVE_INFINITY;

  const end = (job: Job, finish: () => void): void => {
    if (job.over) return;
    job.over = true;
    open--;
    finish();
    if (isClosed && open === 0) closed?.();
  };
  const leave = (job: Job): void => {
    waiting -= job.options.n - job.taken;
    bytes -= job.bytes;
    job.taken = job.options.n;
  };
  const refuse = (job: Job, refused: Refused): void => end(job, () => job.reject(refused));
  const lateness = ({ options: { signal, deadline } }: Job, now: number): string | undefined =>
    signal.aborted
      ? 'the caller has gone'
      : deadline !== undefined && now > deadline
        ? 'its deadline passed while it waited'
        : undefined;
  /** Leaves out who has gone or is late, and looks again when the next deadline passes. */
  const sweep = (now: number): void => {
    let next = Number.POSITIVE_INFINITY;
    queue = queue.filter((job) => {
      const because = job.over ? 'over' : lateness(job, now);
      if (because === undefined) {
        next = Math.min(next, job.options.deadline ?? Number.POSITIVE_INFINITY);
        return true;
      }
      leave(job);
      refuse(job, new Refused('late', because));
      return false;
    });
    watch(next, now);
  };
  const watch = (deadline: number, now: number): void => {
    if (deadline >= sweepAt) return;
    clearTimeout(timer);
    sweepAt = deadline;
    timer = setTimeout(
      () => {
        sweepAt = Number.POSITIVE_INFINITY;
        sweep(clock());
      },
      Math.min(2 ** 31 - 1, Math.max(1, Math.ceil(deadline - now))),
    );
    timer.unref();
  };

  /** Rows that should go into the next run. */
  const room = (): number =>
    whole || fixed !== undefined || millisecondsPerRow === undefined
      ? most
      : Math.max(1, Math.min(most, Math.floor(batching.longest / millisecondsPerRow)));
  const source = {
    lanes,
    background: batching.background,
    oldest(): number | undefined {
      const [first] = queue;
      if (first === undefined) return undefined;
      if (batching.wait <= 0 || whole || waiting >= room()) return first.came;
      const left = first.came + batching.wait - clock();
      if (left <= 0) return first.came;
      lookAgain(left);
      return undefined;
    },
    start(lane: number) {
      sweep(clock());
      const pieces = take();
      if (pieces.length === 0) return undefined;
      const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0);
      const expected = (fixed ?? rows) * (millisecondsPerRow ?? batching.longest);
      return { expected, done: serve(lane, pieces, rows) };
    },
  };
  const place = pool.add(source);
  const { wake, remove } = place;

  let looking = false;
  const lookAgain = (milliseconds: number): void => {
    if (looking) return;
    looking = true;
    after(milliseconds, () => {
      looking = false;
      wake();
    });
  };

  /** The oldest request and those that fit to it. A request longer than a run is cut; others go as a whole. */
  const take = (): readonly Piece[] => {
    const [first] = queue;
    if (first === undefined) return [];
    const bytesPerRow = Math.max(1, first.bytes / first.options.n);
    const limit = whole
      ? first.options.n
      : Math.min(room(), Math.max(1, Math.floor(MOST_RUN_BYTES / bytesPerRow)));
    const pieces: Piece[] = [];
    let rows = 0;
    for (const job of queue) {
      if (rows > 0 && (!batching.shared || whole)) break;
      if (job.kind !== first.kind) continue;
      const left = job.options.n - job.taken;
      const count = rows === 0 ? Math.min(left, limit) : left;
      if (rows + count > limit) continue;
      const piece: Piece = { job, from: job.taken, rows: count };
      pieces.push(piece);
      job.pieces.push(piece);
      rows += count;
      job.taken += count;
      waiting -= count;
      if (job.taken === job.options.n) bytes -= job.bytes;
      if (rows === limit) break;
    }
    queue = queue.filter((job) => job.taken < job.options.n);
    return pieces;
  };

  const serve = async (lane: number, pieces: readonly Piece[], rows: number): Promise<void> => {
    const start = clock();
    const run = place.begin(lane);
    const tooLong = setTimeout(() => {
      if (run.tooLong()) batching.onStuck?.(lane);
      // Its rows that still wait go with it.
      for (const piece of pieces)
        fail(piece, new Refused('late', `a run took more than ${batching.timeout} ms`));
      if (place.isStuck) refuseAll();
    }, batching.timeout);
    tooLong.unref();
    try {
      await runTogether(lane, pieces, rows);
      const each = (clock() - start) / rows;
      millisecondsPerRow =
        millisecondsPerRow === undefined ? each : (1 - NEWEST) * millisecondsPerRow + NEWEST * each;
    } catch (thrown) {
      if (pieces.length === 1) return fail(pieces[0]!, thrown);
      for (const piece of pieces) {
        if (piece.outputs || piece.job.over) continue;
        try {
          await runTogether(lane, [piece], piece.rows);
        } catch (alone) {
          fail(piece, alone);
        }
      }
    } finally {
      clearTimeout(tooLong);
      run.ended();
    }
  };
  /** Nobody waits for runs of which nobody knows whether they end. */
  const refuseAll = (): void => {
    for (const job of queue.splice(0)) {
      leave(job);
      refuse(job, stuck());
    }
  };
  const fail = ({ job }: Piece, thrown: unknown): void => {
    if (job.taken < job.options.n) {
      leave(job);
      queue = queue.filter((each) => each !== job);
    }
    const because = thrown instanceof Error ? thrown.message : String(thrown);
    refuse(job, thrown instanceof Refused ? thrown : new Refused('failed', because, { cause: thrown }));
  };

  const runTogether = async (lane: number, pieces: readonly Piece[], rows: number): Promise<void> => {
    const total = fixed ?? rows;
    const feeds: Record<string, HostTensor> = {};
    const taken: SharedArrayBuffer[] = [];
    const take = (bytes: number): SharedArrayBuffer => {
      const buffer = buffers.take(bytes);
      taken.push(buffer);
      return buffer;
    };
    for (const [i, { name }] of ports.inputs.entries()) {
      const parts = pieces.map(({ job, from, rows }): Rows => ({ tensor: job.inputs[i]!, from, rows }));
      feeds[name] = whole ? hosted(parts[0]!.tensor) : gathered(parts, total, take);
    }
    const wanted = features && pieces.some(({ job }) => job.options.features);
    let results: Readonly<Record<string, HostTensor>>;
    try {
      results = await batching.run(lane, feeds, wanted ? withFeatures : names);
    } finally {
      for (const buffer of taken) buffers.giveBack(buffer);
    }
    if (!whole)
      for (const { name } of ports.outputs)
        if (results[name]?.dims[0] !== total)
          throw new Error(`output ${name}: expected ${total} rows, got [${results[name]?.dims.join(', ')}]`);
    let at = 0;
    for (const piece of pieces) {
      piece.outputs = ports.outputs.map((port) =>
        whole ? unhosted(port, results[port.name]!) : scattered(port, results[port.name]!, at, piece.rows),
      );
      if (wanted && piece.job.options.features)
        piece.features = featureRows(results[features.output]!, at, whole ? undefined : piece.rows, total);
      at += piece.rows;
      settle(piece);
    }
  };
  const settle = ({ job, rows }: Piece): void => {
    job.answered += rows;
    if (job.answered < job.options.n) return;
    const answer = joined(job);
    end(job, () => job.resolve(answer));
  };

  return {
    get waiting() {
      return waiting;
    },
    get open() {
      return open;
    },
    wake,
    run(inputs, options) {
      const now = clock();
      // A deadline that is near is looked at when it passes; one that has passed, now.
      if (options.signal.aborted || (options.deadline !== undefined && now > options.deadline))
        return Promise.reject(new Refused('late', 'it came too late to be run'));
      if (isClosed) return Promise.reject(new Refused('unavailable', 'the model is no longer served'));
      if (place.isStuck) return Promise.reject(stuck());
      const size = inputs.reduce((sum, input) => sum + bytesOf(input), 0);
      const tooMany = () =>
        queue.length > 0 && (waiting + options.n > batching.queue || bytes + size > MOST_WAITING_BYTES);
      // Those who have gone hold no place.
      if (tooMany()) sweep(now);
      if (tooMany()) {
        const seconds = Math.ceil((waiting * (millisecondsPerRow ?? 1)) / Math.max(1, lanes.length) / 1000);
        const retryAfter = Math.max(1, Math.min(60, seconds));
        return Promise.reject(new Refused('unavailable', `${waiting} samples wait already`, { retryAfter }));
      }
      return new Promise<ModelAnswer>((resolve, reject) => {
        open++;
        waiting += options.n;
        bytes += size;
        const kind = varies ? JSON.stringify(inputs.map(({ shape }) => shape.slice(1))) : '';
        queue.push({
          inputs,
          options,
          came: now,
          bytes: size,
          kind,
          taken: 0,
          answered: 0,
          pieces: [],
          over: false,
          resolve,
          reject,
        });
        if (options.deadline !== undefined) watch(options.deadline, now);
        wake();
      });
    },
    async close() {
      isClosed = true;
      if (open > 0)
        await new Promise<void>((resolve) => {
          closed = resolve;
        });
      clearTimeout(timer);
      remove();
    },
  };
}

function stuck(): Refused {
  const because = 'every thread of the model is in a run that does not end';
  return new Refused('unavailable', because, { retryAfter: ASK_AGAIN });
}

/** Whole milliseconds by a timer; less than one by turns of the event loop, because timers know no less. */
function after(milliseconds: number, call: () => void): void {
  if (milliseconds >= 1) {
    setTimeout(call, Math.ceil(milliseconds));
    return;
  }
  const until = performance.now() + milliseconds;
  const look = (): void => void (performance.now() >= until ? call() : setImmediate(look));
  setImmediate(look);
}

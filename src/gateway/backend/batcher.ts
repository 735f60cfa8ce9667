import type { Tensor } from '../../oip/tensor.ts';
import { Refused } from '../refusal.ts';
import type { ModelAnswer, RunFor, RunOptions } from '../served-model.ts';
import { bytesOf, type Job, joined, type Piece } from './job.ts';
import { openJobQueue } from './job-queue.ts';
import type { LanePool } from './lane-pool.ts';
import { MOST_RUN_BYTES, pieceRunner, type Running } from './run-pieces.ts';

/** How requests become runs. */
export interface Batching extends Running {
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
  /** Hears that a run on a lane took longer than `timeout`, and whose calls are in it. */
  readonly onStuck?: ((lane: number, by: readonly RunFor[]) => void) | undefined;
  /** Milliseconds of a clock that only goes forward: `performance.now`. */
  readonly clock: () => number;
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
/** Milliseconds by which a timer that fires late shows that the machine, or this process, was stopped. */
const STILL = 1000;
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
  const { ports, pool, lanes, clock } = batching;
  const whole = ports.rows === undefined;
  const fixed = typeof ports.rows === 'number' ? ports.rows : undefined;
  const most = fixed ?? batching.most;
  /** Where the sizes behind the first axis are open, they tell which requests fit together. */
  const varies = ports.inputs.some(({ shape }) => shape.slice(1).includes(-1));
  let open = 0;
  let closed: (() => void) | undefined;
  let isClosed = false;
  let millisecondsPerRow: number | undefined;

  const end = (job: Job, finish: () => void): void => {
    if (job.over) return;
    job.over = true;
    open--;
    finish();
    if (isClosed && open === 0) closed?.();
  };
  const refuse = (job: Job, refused: Refused): void => end(job, () => job.reject(refused));
  const queue = openJobQueue(clock, refuse);

  /** Rows that should go into the next run. */
  const room = (): number =>
    whole || fixed !== undefined || millisecondsPerRow === undefined
      ? most
      : Math.max(1, Math.min(most, Math.floor(batching.longest / millisecondsPerRow)));
  const take = (): readonly Piece[] => {
    const { first } = queue;
    if (first === undefined) return [];
    const bytesPerRow = Math.max(1, first.bytes / first.options.n);
    const limit = whole
      ? first.options.n
      : Math.min(room(), Math.max(1, Math.floor(MOST_RUN_BYTES / bytesPerRow)));
    return queue.take(limit, !batching.shared || whole);
  };
  const source = {
    lanes,
    background: batching.background,
    oldest(): number | undefined {
      const { first } = queue;
      if (first === undefined) return undefined;
      if (batching.wait <= 0 || whole || queue.rows >= room()) return first.came;
      const left = first.came + batching.wait - clock();
      if (left <= 0) return first.came;
      lookAgain(left);
      return undefined;
    },
    start(lane: number) {
      queue.sweep();
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

  const runTogether = pieceRunner(batching, ({ job, rows }) => {
    job.answered += rows;
    if (job.answered < job.options.n) return;
    const answer = joined(job);
    end(job, () => job.resolve(answer));
  });
  const serve = async (lane: number, pieces: readonly Piece[], rows: number): Promise<void> => {
    const start = clock();
    const run = place.begin(lane);
    let looked = start;
    const look = (): void => {
      // Much later than it was due: the machine stood still, and the run with it.
      if (clock() - looked > batching.timeout + STILL) {
        looked = clock();
        tooLong = setTimeout(look, batching.timeout).unref();
        return;
      }
      if (run.tooLong())
        batching.onStuck?.(
          lane,
          pieces.flatMap(({ job }) => job.options.by ?? []),
        );
      // Its rows that still wait go with it.
      for (const piece of pieces)
        fail(piece, new Refused('late', `a run took more than ${batching.timeout} ms`));
      if (place.isStuck) refuseAll();
    };
    let tooLong = setTimeout(look, batching.timeout).unref();
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
    for (const job of queue.empty()) refuse(job, stuck());
  };
  const fail = ({ job }: Piece, thrown: unknown): void => {
    queue.drop(job);
    const because = thrown instanceof Error ? thrown.message : String(thrown);
    refuse(job, thrown instanceof Refused ? thrown : new Refused('failed', because, { cause: thrown }));
  };

  return {
    get waiting() {
      return queue.rows;
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
        queue.first !== undefined &&
        (queue.rows + options.n > batching.queue || queue.bytes + size > MOST_WAITING_BYTES);
      // Those who have gone hold no place.
      if (tooMany()) queue.sweep();
      if (tooMany()) {
        const { rows } = queue;
        const seconds = Math.ceil((rows * (millisecondsPerRow ?? 1)) / Math.max(1, lanes.length) / 1000);
        const retryAfter = Math.max(1, Math.min(60, seconds));
        return Promise.reject(new Refused('unavailable', `${rows} samples wait already`, { retryAfter }));
      }
      return new Promise<ModelAnswer>((resolve, reject) => {
        open++;
        const kind = varies ? JSON.stringify(inputs.map(({ shape }) => shape.slice(1))) : '';
        queue.add({
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
        wake();
      });
    },
    async close() {
      isClosed = true;
      if (open > 0)
        await new Promise<void>((resolve) => {
          closed = resolve;
        });
      queue.close();
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

import { availableParallelism } from 'node:os';
import type { Model } from '../onnx/model.ts';
import { withoutTrailingBlanks } from '../onnx/trim-inputs.ts';
import { fitsOneFile, serializeModel } from '../onnx/write.ts';
import type { HostTensor } from './array.ts';
import type { Device } from './device.ts';
import { type FeedPool, feedPool } from './feed-pool.ts';
import { type Lane, startLane } from './lane.ts';
import { asFile } from './model-file.ts';
import type { OrtOptions } from './ort.ts';
import { overwritableInputs } from './overwritable.ts';

/** How an engine runs graphs. */
export interface EngineOptions {
  /** `cpu` unless given. */
  readonly device?: Device;
  /** Threads inside one operator; all cores unless given. */
  readonly threads?: number;
}

/** A graph that is ready to run, off the calling thread. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the graph once. With `transfer`, the feeds' buffers (all of each, also where a feed shows only a part) move to the
   * worker without a copy and are empty afterwards. Errors: `data/mismatch`, `run/failed`.
   */
  run(
    feeds: Readonly<Record<string, HostTensor>>,
    options?: { readonly fetches?: readonly string[]; readonly transfer?: boolean },
  ): Promise<Record<string, HostTensor>>;
  close(): Promise<void>;
}

/**
 * Runs graphs in a worker thread, because ONNX Runtime blocks the thread it runs in. Runs are queued; nothing in flight is
 * ever killed (that would end the process): cancel between runs.
 */
export interface Engine {
  readonly device: Device;
  readonly threads: number;
  /**
   * Opens a session; `profile` makes the runtime write its own profile on close, `carry` keeps values between the runs (see
   * {@link OrtOptions}). Errors: `run/failed`, `device/unavailable`.
   */
  open(
    model: Model | Uint8Array | string,
    options?: Partial<Pick<OrtOptions, 'profile' | 'optimise' | 'threads' | 'carry'>> & {
      /** Which worker thread; each further one is started when it is first named. 0 unless given. */
      readonly lane?: number;
    },
  ): Promise<Session>;
  /**
   * Puts a fresh worker thread in a lane's place: for one that is in a run that does not end, which nobody can end without the process. What was asked of the old one keeps waiting; its sessions take nothing more, and
   * closing them does nothing. Resolves when the old thread has ended after all.
   */
  replaceLane(lane: number): Promise<void>;
  /** Lets what is under way finish, on all lanes but those in `without`; whatever is asked afterwards fails with `run/failed`. */
  close(without?: ReadonlySet<number>): Promise<void>;
}

/** Starts an engine with a worker thread of its own. Close it when done; an idle engine does not keep the process alive. */
export function startEngine(options: EngineOptions = {}): Engine {
  const device = options.device ?? 'cpu';
  const threads = options.threads ?? availableParallelism();
  const lanes: Lane[] = [startLane()];
  const pool = feedPool();
  const laneAt = (index: number): Lane => {
    // A lane that joins a closed engine is closed, too.
    if (lanes[0]!.isOver) return lanes[0]!;
    lanes[index] ??= startLane();
    return lanes[index];
  };
  return {
    device,
    threads,
    async open(model, { lane: index = 0, ...extra } = {}) {
      const lane = laneAt(index);
      const isModel = typeof model !== 'string' && !(model instanceof Uint8Array);
      const settings = {
        device,
        threads,
        ...extra,
        ...(extra.carry && isModel ? { overwrite: overwritableInputs(model, extra.carry) } : {}),
      };
      const ask = (source: Uint8Array | string) => {
        const own =
          source instanceof Uint8Array && source !== model && source.byteLength === source.buffer.byteLength;
        return lane.ask(
          { kind: 'open', model: source, options: settings },
          own ? [source.buffer as ArrayBuffer] : [],
        );
      };
      const opened = await (!isModel
        ? ask(model)
        : fitsOneFile(model)
          ? ask(serializeModel(withoutTrailingBlanks(model)))
          : asFile(withoutTrailingBlanks(model), ask));
      return sessionOn(lane, opened, pool);
    },
    async replaceLane(index) {
      const old = lanes[index];
      lanes[index] = startLane();
      await old?.close();
    },
    async close(without) {
      const ends = lanes.map((lane) => lane.close());
      await Promise.all(ends.filter((_, index) => !without?.has(index)));
    },
  };
}

/** An open session. A function of its own: one beside the model would hold it, weights and all, as long as the session lives. */
function sessionOn(lane: Lane, opened: Awaited<ReturnType<Lane['ask']>>, pool: FeedPool): Session {
  const session = opened.session!;
  return {
    inputs: opened.inputs!,
    outputs: opened.outputs!,
    async run(feeds, { fetches, transfer = false } = {}) {
      const wanted = fetches ? { fetches } : {};
      if (transfer) {
        const buffers = [...new Set(Object.values(feeds).map((t) => t.data.buffer as ArrayBuffer))];
        return (await lane.ask({ kind: 'run', session, feeds, ...wanted }, buffers)).results!;
      }
      const { sent, giveBack } = pool.lend(feeds);
      try {
        return (await lane.ask({ kind: 'run', session, feeds: sent, ...wanted })).results!;
      } finally {
        giveBack();
      }
    },
    async close() {
      if (!lane.isOver) await lane.ask({ kind: 'close', session });
    },
  };
}

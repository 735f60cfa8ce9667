import type { Session } from '../../runtime/engine.ts';
import type { EmbeddedRuntime } from './embedded-runtime.ts';

/** A model's sessions by lane, and the lanes that it may use: both change where a thread is lost. */
export interface OnLanes {
  readonly sessions: (Session | undefined)[];
  readonly lanes: number[];
}

/** How a model comes back. */
export interface Comeback {
  /** The model and its version. */
  readonly what: string;
  /** Bytes of weights of one session. */
  readonly weights: number;
  /** A session on a fresh thread. Errors: why there is none. */
  readonly reopened: (lane: number) => Promise<Session>;
  /** A lane can be used again. */
  readonly back: () => void;
}

/**
 * Keeps a model on lanes whose threads are replaced: it leaves a lost lane at once, opens a session on the fresh thread, and takes the lane again. Where that fails (no room, another file, no file) it does without, and
 * says so. The function that it gives ends that.
 */
export function backOnLanes(
  { sessions, lanes }: OnLanes,
  { memory, threads, failed }: Pick<EmbeddedRuntime, 'memory' | 'threads' | 'failed'>,
  { what, weights, reopened, back }: Comeback,
): () => void {
  let isOver = false;
  const open = async (lane: number, ended: Promise<void>): Promise<void> => {
    // The old thread keeps its copy; handing one over takes another.
    const held = memory.reserve(2 * weights, `${what} on a fresh thread`);
    try {
      const session = await reopened(lane);
      held.shrink(weights);
      void ended.then(held.release);
      if (isOver) return await session.close();
      sessions[lane] = session;
      lanes.push(lane);
      back();
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  };
  const stop = threads.tell({
    lost(lane, ended) {
      const at = lanes.indexOf(lane);
      if (at < 0) return;
      lanes.splice(at, 1);
      sessions[lane] = undefined;
      open(lane, ended).catch((thrown) => failed(`${what} on a fresh thread`, thrown));
    },
  });
  return () => {
    isOver = true;
    stop();
  };
}

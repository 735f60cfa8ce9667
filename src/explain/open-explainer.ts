import type { ChildProcess } from 'node:child_process';
import { GlacisError } from '../core/error.ts';
import { startHelper } from '../core/helper-process.ts';
import type { ExplainedModel, ExplainQuestion, FromExplainer, ToExplainer } from './messages.ts';

/** Explains answers of one model. */
export interface Explainer {
  /**
   * Attributions `[n, …sampleDims]` as they are shown. One question after another. Errors: `option/invalid` where too many wait, `run/cancelled` where `signal` fired before it was begun or
   * it took too long, `run/failed`.
   */
  explain(question: ExplainQuestion, signal: AbortSignal): Promise<Float32Array>;
  close(): Promise<void>;
}

/** How {@link openExplainer} works. */
export interface ExplainerOptions {
  /** Most bytes of the process, resident. */
  readonly memory: number;
  /** Milliseconds after which a question is given up, and its process killed. */
  readonly timeout: number;
  /** Questions that may be under way or wait. */
  readonly queue: number;
  /** Calls `late` after so many milliseconds; what it gives takes that back. Timers unless given. */
  readonly after?: (milliseconds: number, late: () => void) => () => void;
  /** Hears of the process that is started. */
  readonly started?: (child: ChildProcess) => void;
}

/** Milliseconds for reading a model, writing its gradient and trying it. */
const OPENING = 120_000;
/** Megabytes of JavaScript's own memory: graphs, and bytes of weights on their way. */
const HEAP = 1024;

/**
 * Starts a process that has the model's gradient, and tries it. It has another process' memory and a lower priority than whoever answers calls, and where it hangs, grows too large or dies,
 * it is ended, and the next question starts a new one. Errors: those of opening a model, `gradient/unsupported`, `run/failed`.
 */
export async function openExplainer(model: ExplainedModel, options: ExplainerOptions): Promise<Explainer> {
  const { memory, timeout, queue, after = inTime } = options;
  let child: ChildProcess | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let isClosed = false;

  const letGo = (own: ChildProcess): void => {
    own.kill('SIGKILL');
    if (child === own) child = undefined;
  };
  /** One message, one answer; where there is none in time, the process ends. */
  const ask = (own: ChildProcess, message: ToExplainer, most: number): Promise<FromExplainer> =>
    new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        taken();
        own.channel?.unref?.();
        own.off('message', heard);
        own.off('exit', gone);
        own.off('error', gone);
        finish();
      };
      const heard = (given: FromExplainer): void => end(() => resolve(given));
      const gone = (): void => {
        letGo(own);
        end(() =>
          reject(
            new GlacisError(
              'run/failed',
              'explanations: their process ended; it may have needed too much memory',
            ),
          ),
        );
      };
      const taken = after(most, () => {
        letGo(own);
        end(() => reject(new GlacisError('run/cancelled', `explanations: it took longer than ${most} ms`)));
      });
      // Whoever waits for an answer keeps the server alive.
      own.channel?.ref?.();
      own.on('message', heard);
      own.once('exit', gone);
      own.once('error', gone);
      own.send(message, () => {});
    });
  const opened = async (): Promise<ChildProcess> => {
    if (child?.connected) return child;
    const own = startHelper(new URL('./explain-process.ts', import.meta.url), HEAP);
    options.started?.(own);
    child = own;
    const given = await ask(own, { kind: 'open', model, memory }, OPENING);
    if (given.kind !== 'failed') return own;
    letGo(own);
    throw new GlacisError(given.code, given.message);
  };
  const once = async (question: ExplainQuestion, signal: AbortSignal): Promise<Float32Array> => {
    if (isClosed || signal.aborted)
      throw new GlacisError('run/cancelled', 'explanations: nobody waits any more');
    const given = await ask(await opened(), { kind: 'explain', question }, timeout);
    if (given.kind === 'explained') return given.values;
    throw given.kind === 'failed'
      ? new GlacisError(given.code, given.message)
      : new GlacisError('run/failed', 'explanations: expected attributions, got something else');
  };

  await opened();
  return {
    async explain(question, signal) {
      if (waiting >= queue)
        throw new GlacisError('option/invalid', `explanations: ${waiting} questions wait already`);
      waiting++;
      const mine = turn.then(() => once(question, signal));
      turn = mine.catch(() => {});
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
    async close() {
      isClosed = true;
      await turn;
      if (child) letGo(child);
    },
  };
}

function inTime(milliseconds: number, late: () => void): () => void {
  const timer = setTimeout(late, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}

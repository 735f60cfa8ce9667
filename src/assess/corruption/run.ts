import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';
import { judge } from '../subject.ts';
import { type CorruptionPlan, cellName, corruptedSample } from './plan.ts';

/** The model and its samples, as far as corruptions need them. */
export type CorruptionSubject = Pick<Loaded, 'subject' | 'adapted' | 'labels' | 'width' | 'task' | 'batch'>;

/** What is known of each sample; filled cell by cell. */
export interface CorruptionRecord {
  /** 1 where the model is wrong on the clean sample. */
  readonly cleanWrong: Uint8Array;
  /** For every cell of the plan, 1 where the model is wrong on the corrupted sample. */
  readonly wrong: readonly Uint8Array[];
  /** Parts that are finished: the clean samples first, then cells in the order of the plan. */
  finished: number;
  queries: number;
  seconds: number;
}

/** How {@link runCorruptions} runs. */
export interface CorruptionRun {
  readonly seed: number;
  /** How far a regression may be off, in the output's units. */
  readonly tolerance?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
  /** Called after each part; a record that was saved then can be taken up again. */
  readonly save?: ((record: CorruptionRecord) => Promise<void>) | undefined;
  /** Milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Bytes of clean samples held at once. */
const CHUNK_BYTES = 64 * 2 ** 20;
/** Values that are corrupted before others get their turn: some tens of milliseconds, so that Ctrl-C is heard. */
const TURN = 2 ** 17;

/** An empty record of `n` samples. */
export function corruptionRecord(plan: CorruptionPlan, n: number): CorruptionRecord {
  return {
    cleanWrong: new Uint8Array(n),
    wrong: plan.cells.map(() => new Uint8Array(n)),
    finished: 0,
    queries: 0,
    seconds: 0,
  };
}

/**
 * Asks the deployed model about every sample under every cell and enters its errors into `record`, from the first part that is not
 * finished on. The next samples are corrupted while the model answers; a chunk of clean and two batches of corrupted samples are held.
 * `false` where `signal` stopped it: finished parts stand, and a later run with the same plan and seed goes on from there.
 * Errors: those of reading and of the model. Cost: a forward pass for each sample and cell, and one clean.
 */
export async function runCorruptions(
  loaded: CorruptionSubject,
  plan: CorruptionPlan,
  record: CorruptionRecord,
  run: CorruptionRun,
): Promise<boolean> {
  const now = run.now ?? (() => performance.now());
  const chunks = chunksOf(loaded, run.signal);
  const parts = plan.cells.length + 1;
  try {
    while (record.finished < parts) {
      const began = now();
      const part = record.finished;
      const wrong = part === 0 ? record.cleanWrong : record.wrong[part - 1]!;
      await runPart(loaded, plan, part, wrong, chunks, run);
      record.finished = part + 1;
      record.queries += wrong.length;
      record.seconds += (now() - began) / 1000;
      await run.save?.(record);
    }
    return true;
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
    return false;
  }
}

/** The clean samples from `start` on: as many as fit into a chunk. */
type Chunks = (start: number) => Promise<{ readonly count: number; readonly x: Float32Array }>;

function chunksOf({ subject, adapted, batch }: CorruptionSubject, signal: AbortSignal | undefined): Chunks {
  const size = elementCount(subject.sampleDims);
  const step = Math.max(batch, Math.floor(CHUNK_BYTES / (4 * size)));
  let held: { readonly start: number; readonly count: number; readonly x: Float32Array } | undefined;
  return async (start) => {
    if (held?.start !== start) {
      held = undefined;
      const { count, x } = await adapted.read(start, Math.min(step, adapted.n - start), signal);
      held = { start, count, x };
    }
    return held;
  };
}

async function runPart(
  { subject, adapted, labels, width, task, batch }: CorruptionSubject,
  plan: CorruptionPlan,
  part: number,
  wrong: Uint8Array,
  chunks: Chunks,
  { seed, tolerance, signal, progress = silent }: CorruptionRun,
): Promise<void> {
  const cell = part === 0 ? undefined : plan.cells[part - 1]!;
  const size = elementCount(subject.sampleDims);
  const total = (plan.cells.length + 1) * adapted.n;
  const note = cell ? cellName(cell) : 'clean';
  let answering: Promise<void> = Promise.resolve();
  let sinceTurn = 0;
  try {
    for (let start = 0; start < adapted.n; ) {
      const chunk = await chunks(start);
      for (let at = 0; at < chunk.count; at += batch) {
        const count = Math.min(batch, chunk.count - at);
        const x = chunk.x.slice(at * size, (at + count) * size);
        const first = start + at;
        for (let i = 0; cell && i < count; i++) {
          const sample = x.subarray(i * size, (i + 1) * size);
          sample.set(corruptedSample(plan, cell, sample, seed, first + i));
          sinceTurn += size;
          if (sinceTurn < TURN) continue;
          sinceTurn = 0;
          await setImmediate();
          throwIfCancelled(signal, 'corruptions');
        }
        await answering;
        progress({ label: 'corruptions', done: part * adapted.n + first, total, note });
        const goal = goalFor(
          task,
          labels.slice(first * width, (first + count) * width),
          subject.classes,
          tolerance,
        );
        answering = judge(subject, goal, x, count, signal).then(({ reached }) => wrong.set(reached, first));
        // A failure is seen where `answering` is awaited.
        answering.catch(() => {});
      }
      start += chunk.count;
    }
    await answering;
  } finally {
    // Nothing may be in flight when the caller closes the model.
    await answering.catch(() => {});
  }
  progress({ label: 'corruptions', done: (part + 1) * adapted.n, total, note });
}

import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { asGlacisError } from '../core/error.ts';
import type { StepFigures } from './journal.ts';
import type { RecordedEpoch } from './record.ts';

/** A log of a run as lines of JSON, each written at once: `run`, `step`, `epoch`. */
export interface RunLog {
  started(steps: number, total: number, epochs: readonly RecordedEpoch[]): void;
  step(figures: StepFigures): void;
  epoch(epoch: RecordedEpoch, number: number): void;
  close(): void;
}

/** Steps that are logged in an epoch, about. */
const LINES_AN_EPOCH = 20;

/**
 * Opens the log at `path`. A run that begins starts the file anew. One that goes on from a checkpoint keeps the lines up to there, drops those
 * of steps that will be made again and a last line that was cut off, and adds epochs whose line was lost, so that the file reads as
 * if the run had never been interrupted. `mode` are its rights. Errors: `output/unwritable`.
 */
export function openRunLog(
  path: string,
  epochs: number,
  { mode = 0o666 }: { readonly mode?: number } = {},
): RunLog {
  let file: number | undefined;
  let every = 1;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw asGlacisError(error, 'output/unwritable', path);
    }
  };
  const line = (value: object) => guarded(() => writeSync(file!, `${JSON.stringify(value)}\n`));
  const epochLine = (epoch: RecordedEpoch, number: number) =>
    line({ kind: 'epoch', epoch: number + 1, ...epoch });
  return {
    started(steps, total, closed) {
      every = Math.max(1, Math.floor(total / epochs / LINES_AN_EPOCH));
      const kept = steps === 0 ? [] : guarded(() => linesUpTo(path, steps, closed.length));
      guarded(() => {
        const temporary = `${path}.tmp`;
        writeFileSync(temporary, kept.map((each) => `${each.text}\n`).join(''), { mode });
        renameSync(temporary, path);
        file = openSync(path, 'a');
      });
      if (kept.length === 0) line({ kind: 'run', schema: 'glacis.training-log/1', steps: total });
      const known = kept.filter(({ kind }) => kind === 'epoch').length;
      for (const [i, epoch] of closed.entries()) if (i >= known) epochLine(epoch, i);
    },
    step({ step, epoch, loss, soFar }) {
      if (step % every === 0) line({ kind: 'step', step, epoch: epoch + 1, loss, soFar });
    },
    epoch: epochLine,
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Whole lines of a log about what a checkpoint holds; none where there is no log. */
function linesUpTo(path: string, steps: number, epochs: number) {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => {
      const value = parsed(text);
      const { kind } = value;
      const isKept =
        kind === 'run' ||
        (kind === 'step' && Number(value.step) <= steps) ||
        (kind === 'epoch' && Number(value.epoch) <= epochs);
      return isKept ? [{ kind, text }] : [];
    });
}

/** A line as an object; an empty one for what is none. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

import { GlacisError } from '../core/error.ts';
import type { HostTensor } from '../runtime/array.ts';
import type { Measured } from './probe.ts';
import type { TrainingStep } from './step/step.ts';

/** What one epoch did. */
export interface Epoch {
  /** Mean loss over the epoch's steps, each before its update. */
  readonly loss: number;
  /** Share of the epoch's samples that were right as they are, each before its update; absent where none was looked at so. */
  readonly accuracy?: number;
  /** Share that was right when attacked. */
  readonly robust?: number;
  /** Measured on the validation samples after the epoch. */
  readonly validation?: Measured;
  /** Seconds that it took, validation included. Not part of what is reproducible. */
  readonly seconds: number;
}

/** What one step did. */
export interface StepFigures {
  /** Over all epochs, from 1. */
  readonly step: number;
  /** Steps of all epochs. */
  readonly total: number;
  /** From 0. */
  readonly epoch: number;
  /** Mean over the step's samples, before its update. */
  readonly loss: number;
  /** The epoch so far: mean loss, and shares of samples that were right as they are and attacked. */
  readonly soFar: Pick<Epoch, 'loss' | 'accuracy' | 'robust'>;
}

/** Why a run ended before its last epoch. */
export type Stop = 'patience' | 'catastrophic overfitting';

/** Sums over the steps of the epoch under way. */
interface Sums {
  readonly steps: number;
  readonly loss: number;
  readonly correct: number | null;
  readonly robust: number | null;
}

/** What a run remembers of its past; plain data, so that a checkpoint can hold it. */
export interface Journal {
  readonly epochs: readonly Epoch[];
  readonly open: Sums;
  /** Seconds of the epoch under way that earlier processes spent. */
  readonly spent: number;
  /** The best epoch on the validation samples so far. */
  readonly best: { readonly epoch: number; readonly score: number } | null;
  readonly stopped: Stop | null;
  /** Epochs that were over when the objective to fall back on took over. */
  readonly fellBack: number | null;
}

const NOTHING: Sums = Object.freeze({ steps: 0, loss: 0, correct: null, robust: null });

/** The journal of a run that begins. */
export const NEW_JOURNAL: Journal = Object.freeze({
  epochs: [],
  open: NOTHING,
  spent: 0,
  best: null,
  stopped: null,
  fellBack: null,
});

/** The journal after one more step. */
export function withStep(
  journal: Journal,
  { measures }: TrainingStep,
  results: Readonly<Record<string, HostTensor>>,
): Journal {
  const { open } = journal;
  const of = (name: string | undefined, sum: number | null) =>
    name === undefined ? null : (sum ?? 0) + Number(results[name]!.data[0]);
  return {
    ...journal,
    open: {
      steps: open.steps + 1,
      loss: of(measures.loss, open.loss)!,
      correct: of(measures.correct, open.correct),
      robust: of(measures.robust, open.robust),
    },
  };
}

/** Loss and shares of the epoch under way. */
export function soFar({ open }: Journal, batch: number): StepFigures['soFar'] {
  const share = (sum: number) => sum / (open.steps * batch);
  return {
    loss: open.loss / open.steps,
    ...(open.correct === null ? {} : { accuracy: share(open.correct) }),
    ...(open.robust === null ? {} : { robust: share(open.robust) }),
  };
}

/** Closes the epoch under way. */
export function closed(journal: Journal, batch: number, seconds: number, validation?: Measured): Epoch {
  return { ...soFar(journal, batch), ...(validation ? { validation } : {}), seconds };
}

/** The journal with one more closed epoch. */
export function withEpoch(journal: Journal, epoch: Epoch): Journal {
  return { ...journal, epochs: [...journal.epochs, epoch], open: NOTHING, spent: 0 };
}

/** How good an epoch was on the validation samples: robust accuracy where they were attacked, else accuracy, else minus the loss. */
export function scoreOf({ robust, accuracy, loss }: Measured): number {
  return robust ?? accuracy ?? -loss;
}

/** A few words on an epoch, or what there is of it. */
export function noteOf({ loss, accuracy, robust }: Partial<StepFigures['soFar']>): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    ...(loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
    ...(accuracy === undefined ? [] : [`right ${percent(accuracy)}`]),
    ...(robust === undefined ? [] : [`under attack ${percent(robust)}`]),
  ].join(', ');
}

/** A journal that came out of a file. Errors: `result/invalid`. */
export function journalFrom(value: unknown, path: string): Journal {
  const journal = value as Partial<Journal> | null;
  const isJournal =
    typeof journal === 'object' &&
    journal !== null &&
    Array.isArray(journal.epochs) &&
    journal.epochs.every((epoch) => typeof epoch?.loss === 'number') &&
    typeof journal.open?.steps === 'number' &&
    typeof journal.spent === 'number';
  if (!isJournal)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected the journal of a training run, got something else`,
    );
  return journal as Journal;
}

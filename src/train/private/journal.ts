import { GlacisError } from '../../core/error.ts';
import type { Measured } from '../probe.ts';
import { type BatchMeasures, together } from './step/private-session.ts';

/** What an epoch did. None of these figures has noise: but for `validation`, they are for the owner of the data, not to be published. */
export interface PrivateEpoch {
  /** Samples that were drawn, over all steps. */
  readonly samples: number;
  /** Mean over these; absent where none was drawn. */
  readonly loss?: number;
  /** Shares that were right as they are and attacked; absent where none was looked at so. */
  readonly accuracy?: number;
  readonly robust?: number;
  /** Measured afterwards on samples that are not private. */
  readonly validation?: Measured;
  /** Mean norm of the gradients before clipping, and the share that was not clipped. */
  readonly norm?: number;
  readonly unclipped?: number;
  /** The clipping norm of its last step. */
  readonly clip: number;
  readonly seconds: number;
}

/** What a run remembers beside its arrays; plain data for a checkpoint, none of it a secret of its own. */
export interface PrivateJournal {
  readonly epochs: readonly PrivateEpoch[];
  /** Sums of the epoch under way. */
  readonly open: BatchMeasures;
  /** Seconds of the epoch under way that earlier processes spent. */
  readonly spent: number;
  /** Clipping norm of the next step. */
  readonly clip: number;
  /** The run's reservation in the ledger. */
  readonly reservation: string | null;
}

/** The journal of a run that begins. */
export function newJournal(clip: number): PrivateJournal {
  return { epochs: [], open: together([]), spent: 0, clip, reservation: null };
}

/** The journal with the epoch under way closed. */
export function withEpoch(journal: PrivateJournal, seconds: number, validation?: Measured): PrivateJournal {
  const { samples, loss, norms, below, correct, robust } = journal.open;
  const epoch: PrivateEpoch = {
    samples,
    ...(samples === 0
      ? {}
      : {
          loss: loss / samples,
          norm: norms / samples,
          unclipped: below / samples,
          ...(correct === undefined ? {} : { accuracy: correct / samples }),
          ...(robust === undefined ? {} : { robust: robust / samples }),
        }),
    ...(validation ? { validation } : {}),
    clip: journal.clip,
    seconds,
  };
  return { ...journal, epochs: [...journal.epochs, epoch], open: together([]), spent: 0 };
}

/** A few words on the epoch under way. */
export function noteOf({ open, clip }: PrivateJournal): string {
  const { samples, loss, below, correct, robust } = open;
  if (samples === 0) return 'no samples yet';
  const percent = (part: number) => `${((100 * part) / samples).toFixed(1)} %`;
  return [
    `loss ${(loss / samples).toFixed(3)}`,
    ...(correct === undefined ? [] : [`right ${percent(correct)}`]),
    ...(robust === undefined ? [] : [`under attack ${percent(robust)}`]),
    `unclipped ${percent(below)} at ${clip.toPrecision(3)}`,
  ].join(', ');
}

/** A journal that came out of a file. Errors: `result/invalid`. */
export function journalFrom(value: unknown, path: string): PrivateJournal {
  const journal = value as Partial<PrivateJournal> | null;
  const isJournal =
    typeof journal === 'object' &&
    journal !== null &&
    Array.isArray(journal.epochs) &&
    typeof journal.open?.samples === 'number' &&
    typeof journal.spent === 'number' &&
    typeof journal.clip === 'number' &&
    journal.clip > 0 &&
    (journal.reservation === null || typeof journal.reservation === 'string');
  if (!isJournal)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected the journal of a private training run, got something else`,
    );
  return journal as PrivateJournal;
}

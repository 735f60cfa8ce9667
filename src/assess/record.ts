import type { Task } from '../threat/goal.ts';
import type { Outcome } from './evasion.ts';
import { emptyPredictions, type Predictions } from './prediction.ts';
import type { Judgement } from './subject.ts';
import { NO_TARGET } from './towards.ts';

/** The clean model's answers over all samples; filled from the front. */
export interface CleanRecord {
  done: number;
  readonly prediction: Predictions;
  /** 1 where the model is right. */
  readonly correct: Uint8Array;
  /** Of targeted attacks: the class that each sample is led to, or `NO_TARGET`. */
  readonly targets?: Int32Array;
}

/** How many samples are attacked. */
export function attackedOf(clean: CleanRecord): number {
  return clean.correct.reduce((sum, _, i) => sum + (isAttacked(clean, i) ? 1 : 0), 0);
}

/** One attack at one eps over all samples. */
export interface CellRecord {
  readonly prediction: Predictions;
  readonly success: Uint8Array;
  readonly distance: Float32Array;
  readonly decided: Uint8Array;
  /** Queries about each sample until it was decided. */
  readonly asked: Int32Array;
  /** Seconds until it was decided. */
  readonly took: Float32Array;
  /** 1 + the part of the attack that did it; 0 elsewhere. */
  readonly by: Uint8Array;
  queries: number;
  gradientQueries: number;
  seconds: number;
  refused: number;
}

/** An empty record of `n` clean samples of `k` outputs, with places for targets where attacks are `targeted`. */
export function cleanRecord(task: Task, n: number, k: number, targeted = false): CleanRecord {
  return {
    done: 0,
    prediction: emptyPredictions(task, n, k),
    correct: new Uint8Array(n),
    ...(targeted && { targets: new Int32Array(n) }),
  };
}

/** Whether sample `i` is attacked: the model is right about it, and there is something to reach. */
export function isAttacked({ correct, targets }: CleanRecord, i: number): boolean {
  return correct[i] === 1 && targets?.[i] !== NO_TARGET;
}

/** An empty record of one attack at one eps. */
export function cellRecord(task: Task, n: number, k: number): CellRecord {
  return {
    prediction: emptyPredictions(task, n, k),
    success: new Uint8Array(n),
    distance: new Float32Array(n),
    decided: new Uint8Array(n),
    asked: new Int32Array(n),
    took: new Float32Array(n),
    by: new Uint8Array(n),
    queries: 0,
    gradientQueries: 0,
    seconds: 0,
    refused: 0,
  };
}

/** Enters the clean answers to the samples from `start`. */
export function enterClean(record: CleanRecord, start: number, { reached, prediction }: Judgement): void {
  const width = prediction.length / Math.max(1, reached.length);
  record.prediction.set(prediction, start * width);
  for (const [i, wrong] of reached.entries()) record.correct[start + i] = wrong ? 0 : 1;
  record.done = start + reached.length;
}

/** Enters an attack's outcome on the samples from `start`. */
export function enterOutcome(record: CellRecord, start: number, outcome: Outcome): void {
  const n = outcome.success.length;
  const width = outcome.prediction.length / Math.max(1, n);
  record.prediction.set(outcome.prediction, start * width);
  record.success.set(outcome.success, start);
  record.distance.set(outcome.distance, start);
  record.decided.set(outcome.decided, start);
  record.asked.set(outcome.asked, start);
  record.took.set(outcome.took, start);
  record.by.set(outcome.by, start);
  record.queries += outcome.queries;
  record.gradientQueries += outcome.gradientQueries;
  record.seconds += outcome.seconds;
  record.refused += Object.values(outcome.refused).reduce((sum, count) => sum + count, 0);
}

/** Enters what fell in `earlier`, at a smaller eps, for the `count` samples from `start`: its examples are examples here. */
export function inherit(record: CellRecord, earlier: CellRecord, start: number, count: number): void {
  const width = record.prediction.length / Math.max(1, record.success.length);
  for (let i = start; i < start + count; i++) {
    if (!earlier.success[i]) continue;
    record.prediction.set(earlier.prediction.subarray(i * width, (i + 1) * width), i * width);
    for (const key of ['success', 'distance', 'decided', 'asked', 'took', 'by'] as const)
      record[key][i] = earlier[key][i]!;
  }
}

/** How many samples from the first are all decided: the part of an unfinished run that is no biased choice. */
export function decidedPrefix({ decided }: Pick<CellRecord, 'decided'>): number {
  const open = decided.indexOf(0);
  return open < 0 ? decided.length : open;
}

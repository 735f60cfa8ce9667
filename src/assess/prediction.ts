import { argmax, type Task } from '../threat/goal.ts';

/** What the model answered: a class or side (0/1) a sample, or `width` labels or numbers a sample, row-major; {@link NO_ANSWER} where it gave no number. */
export type Predictions = Int32Array | Float32Array;

/** Stands for the class where the scores that decide about it are no numbers. */
export const NO_ANSWER = -1;

/** Answers per sample: 1 for classes, `k` where every output is an answer of its own. */
function predictionWidth(task: Task, k: number): number {
  return task === 'classification' || task === 'binary' ? 1 : k;
}

/** Room for the answers to `n` samples. */
export function emptyPredictions(task: Task, n: number, k: number): Predictions {
  const length = n * predictionWidth(task, k);
  return task === 'regression' ? new Float32Array(length) : new Int32Array(length);
}

/** The answers that logits `[n, k]` stand for. */
export function predictionsOf(task: Task, logits: Float32Array, n: number, k: number): Predictions {
  const answers = emptyPredictions(task, n, k);
  if (task === 'regression') answers.set(logits.subarray(0, n * k));
  else if (task === 'classification') for (let i = 0; i < n; i++) answers[i] = classOf(logits, i * k, k);
  else for (let i = 0; i < answers.length; i++) answers[i] = sideOf(logits[i]!);
  return answers;
}

/** The class that the `k` scores from `offset` stand for: of the largest, or {@link NO_ANSWER} where none is a number. */
export function classOf(scores: Float32Array, offset: number, k: number): number {
  const top = argmax(scores, offset, k);
  return Number.isNaN(scores[offset + top]!) ? NO_ANSWER : top;
}

function sideOf(logit: number): number {
  if (Number.isNaN(logit)) return NO_ANSWER;
  return logit > 0 ? 1 : 0;
}

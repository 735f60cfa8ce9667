import { argmax, type Task } from '../threat/goal.ts';

/** What the model answered: a class or side (0/1) a sample, or `width` labels or numbers a sample, row-major. */
export type Predictions = Int32Array | Float32Array;

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
  else if (task === 'classification') for (let i = 0; i < n; i++) answers[i] = argmax(logits, i * k, k);
  else for (let i = 0; i < answers.length; i++) answers[i] = logits[i]! > 0 ? 1 : 0;
  return answers;
}

import type { Scores } from '../output-guard.ts';
import { likeliest, restoreLikeliest } from './likeliest.ts';

/** How far a row of probabilities may be from adding up to 1: float32 and 16-bit models are not exact. */
const SLACK = 5e-3;

/** The scores as probabilities: softmax of logits, in float64; probabilities as they are. The likeliest class stays the same. */
export function asProbabilities(scores: Scores): Scores {
  if (scores.gives === 'probabilities') return scores;
  const { values, n, classes } = scores;
  const out = new Float32Array(values.length);
  for (let at = 0; at < n * classes; at += classes) {
    const winner = likeliest(values, at, classes);
    const top = values[at + winner]!;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(values[at + k]! - top);
    for (let k = 0; k < classes; k++) out[at + k] = Math.exp(values[at + k]! - top) / sum;
    // Neighbouring logits can become the same probability.
    restoreLikeliest(out, at, classes, winner);
  }
  return { ...scores, values: out, gives: 'probabilities' };
}

/** Whether a row adds up to 1 and has nothing below 0: rows of models with several labels at once do not. */
export function addsUp(values: ArrayLike<number>, at: number, classes: number): boolean {
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    if (!(values[at + k]! >= 0)) return false;
    sum += values[at + k]!;
  }
  return Math.abs(sum - 1) <= SLACK;
}

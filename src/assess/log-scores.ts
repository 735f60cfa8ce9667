import type { Subject } from './subject.ts';

/** Below this a probability is nothing; its logarithm stays finite in float32. */
const LEAST = 1e-30;

/** Logits behind what the deployed model gives, up to a constant for each sample: log-probabilities where it ends in a softmax. */
export function logScores({ activation, toLogits }: Subject, outputs: Float32Array): Float32Array {
  if (activation === 'Softmax') return outputs.map((p) => Math.log(Math.max(p, LEAST)));
  if (activation === 'Sigmoid')
    return outputs.map((p) => Math.log(Math.max(p, LEAST) / Math.max(1 - p, LEAST)));
  return toLogits(outputs);
}

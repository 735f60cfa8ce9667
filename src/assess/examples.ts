import { activated } from '../runtime/soundness.ts';
import type { FoundLogits } from '../transform/logits.ts';
import type { Outcome } from './evasion.ts';
import { classOf, NO_ANSWER } from './prediction.ts';
import type { Subject } from './subject.ts';

/** An answer and how sure the model was, in [0, 1]; `NO_ANSWER` and NaN where it gave no number. */
export interface ExampleAnswer {
  readonly class: number;
  readonly confidence: number;
}

/** A sample that fell, to look at: values as the model takes them. */
export interface AttackedExample {
  /** Number of the sample in the data. */
  readonly index: number;
  readonly label: number;
  readonly before: ExampleAnswer;
  readonly after: ExampleAnswer;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  readonly eps: number;
  readonly attack: string;
}

/** Examples kept of each attack and eps. */
export const EXAMPLES_EACH = 6;

/** The first samples that fell in a chunk, up to `most`. Cost: one forward pass for each. */
export async function collectExamples(
  subject: Subject,
  cell: { readonly attack: string; readonly eps: number; readonly nearest: boolean },
  chunk: { readonly x: Float32Array; readonly indices: Int32Array; readonly labels: ArrayLike<number> },
  outcome: Outcome,
  most: number,
): Promise<readonly AttackedExample[]> {
  const { classes: k, activation } = subject;
  const n = outcome.success.length;
  const size = chunk.x.length / Math.max(1, n);
  const fell = Array.from({ length: n }, (_, i) => i).filter(
    // A nearest example may lie beyond the budgets that were asked about.
    (i) => outcome.success[i] && (!cell.nearest || outcome.distance[i]! <= cell.eps),
  );
  const chosen = fell.slice(0, most);
  const clean = new Float32Array(chosen.length * size);
  for (const [to, i] of chosen.entries()) clean.set(chunk.x.subarray(i * size, (i + 1) * size), to * size);
  const before = await subject.predictor.predict(clean, chosen.length);
  return chosen.map((i, at) => ({
    index: chunk.indices[i]!,
    label: chunk.labels[i]!,
    before: answerOf(before.subarray(at * k, (at + 1) * k), activation),
    after: answerOf(outcome.outputs.subarray(i * k, (i + 1) * k), activation),
    clean: clean.slice(at * size, (at + 1) * size),
    adversarial: outcome.x.slice(i * size, (i + 1) * size),
    eps: cell.eps,
    attack: cell.attack,
  }));
}

/** Outputs that are no numbers. */
const NONE: ExampleAnswer = { class: NO_ANSWER, confidence: Number.NaN };

/** The answer that one row of deployed outputs stands for. */
function answerOf(outputs: Float32Array, stripped: FoundLogits['stripped']): ExampleAnswer {
  if (outputs.length === 1) {
    const p = stripped === 'Sigmoid' ? outputs[0]! : 1 / (1 + Math.exp(-outputs[0]!));
    if (Number.isNaN(p)) return NONE;
    return p > 0.5 ? { class: 1, confidence: p } : { class: 0, confidence: 1 - p };
  }
  const isProbability = stripped === 'Softmax' || stripped === 'Sigmoid';
  const p = isProbability ? outputs : activated(outputs, outputs.length, 'Softmax');
  const answer = classOf(outputs, 0, outputs.length);
  if (answer === NO_ANSWER) return NONE;
  return { class: answer, confidence: Math.min(1, Math.max(0, p[answer]!)) };
}

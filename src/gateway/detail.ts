/**
 * How much of an answer is given away, the least first. `label`: the class alone; `topk`: the scores of the likeliest classes;
 * `scores`: all scores as probabilities; `logits`: the model's outputs as they are; `explanation`: with attributions.
 */
export const DETAILS = ['label', 'topk', 'scores', 'logits', 'explanation'] as const;

/** One of {@link DETAILS}. */
export type Detail = (typeof DETAILS)[number];

/** Whether a detail tells as much as another. */
export function isAtLeast(detail: Detail, least: Detail): boolean {
  return DETAILS.indexOf(detail) >= DETAILS.indexOf(least);
}

/** The lesser of two details. */
export function lesser(a: Detail, b: Detail): Detail {
  return DETAILS.indexOf(a) < DETAILS.indexOf(b) ? a : b;
}

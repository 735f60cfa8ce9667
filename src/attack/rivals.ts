import type { Talk } from './question.ts';
import type { Victim } from './sample-attack.ts';

/** A class that a sample may fall to, or `undefined`: whatever the goal wants, taken as one. */
export type Rival = number | undefined;

/** How far a rival is ahead at a point, above 0 once it has won, and the gradient of that. */
export interface Lead {
  readonly value: number;
  /** A view of a batch: copy what is to be kept. */
  readonly gradient: Float32Array;
  /** Whether the goal is reached at the point, by whatever class. */
  readonly reached: boolean;
}

/** All rivals of a sample: every other class for an untargeted goal of classification, otherwise one, the goal as a whole. */
export function rivalsOf({ goal, classes, sample }: Victim): readonly Rival[] {
  if (goal.task !== 'classification' || goal.targeted) return [undefined];
  return Array.from({ length: classes }, (_, k) => k).filter((k) => k !== goal.aim(sample));
}

/** {@link rivalsOf} in the order of their logits at the clean sample, the nearest first. Cost: one answer if there is more than one. */
export function* rankedRivals(victim: Victim): Talk<readonly Rival[]> {
  const rivals = rivalsOf(victim);
  if (rivals.length < 2) return rivals;
  const { logits } = yield* victim.answers(victim.x0.slice());
  return rivals.toSorted((a, b) => logits[b!]! - logits[a!]!);
}

/**
 * Linearises rivals' leads around points: `z_k − z_y` for a class `k` ahead of the label `y`, minus the goal's margin for the goal
 * as a whole. Cost of each call: one gradient.
 */
export function leadsOf(victim: Victim): (point: Float32Array, rival: Rival) => Talk<Lead> {
  const cotangent = new Float32Array(victim.classes);
  return function* lead(point, rival) {
    if (rival === undefined) {
      const { margins, gradient, reached } = yield* victim.gradient(point, { loss: 'margin' });
      return { value: -margins[0]!, gradient, reached: reached[0]! };
    }
    cotangent.fill(0);
    cotangent[rival] = 1;
    cotangent[victim.goal.aim(victim.sample)!] = -1;
    const { loss, gradient, reached } = yield* victim.gradient(point, { loss: 'linear', cotangent });
    return { value: loss, gradient, reached: reached[0]! };
  };
}

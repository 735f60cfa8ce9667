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

/** Most gradients in one question: the model's backward pass is written once for each. */
const MOST_TOGETHER = 16;

/** Where the leads of several rivals are taken. */
interface LeadsOptions {
  /** Whether a point that reaches the goal is enough: then there is one lead, or all. */
  readonly untilReached: boolean;
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

/**
 * The leads of all `rivals` at a point, in one question where the model is small and they are few: then they share a forward pass.
 * Gradients may be overwritten by the next call. Cost of each call: a gradient for each rival.
 */
export function allLeadsOf(
  victim: Victim,
  rivals: readonly Rival[],
  { untilReached }: LeadsOptions,
): (point: Float32Array) => Talk<readonly Lead[]> {
  const { classes, size, goal, sample } = victim;
  const leadOf = leadsOf(victim);
  if (!victim.together || rivals.length < 2 || rivals.length > MOST_TOGETHER) {
    const kept = rivals.map(() => new Float32Array(size));
    return function* oneByOne(point) {
      const leads: Lead[] = [];
      for (const [i, rival] of rivals.entries()) {
        const lead = yield* leadOf(point, rival);
        kept[i]!.set(lead.gradient);
        leads.push({ ...lead, gradient: kept[i]! });
        if (untilReached && lead.reached) break;
      }
      return leads;
    };
  }
  const cotangent = new Float32Array(rivals.length * classes);
  for (const [i, rival] of rivals.entries()) {
    cotangent[i * classes + rival!] = 1;
    cotangent[i * classes + goal.aim(sample)!] = -1;
  }
  return function* together(point) {
    const { logits, gradient, reached } = yield* victim.gradient(point, { loss: 'linear', cotangent });
    return rivals.map((rival, i) => ({
      value: logits[rival!]! - logits[goal.aim(sample)!]!,
      gradient: gradient.subarray(i * size, (i + 1) * size),
      reached: reached[0]!,
    }));
  };
}

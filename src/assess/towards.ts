import { GlacisError } from '../core/error.ts';
import { randomFrom } from '../core/random.ts';
import type { Task } from '../threat/goal.ts';

/** Ways to choose the class that a sample is led to, beside naming one for all. */
export const TOWARDS = ['least-likely', 'random', 'next'] as const;

/**
 * Where targeted attacks lead: to one class, to the class that the model finds least likely for the clean sample, to one drawn at random, or
 * to the one after the label. Each sample has one target, the same for all attacks and eps.
 */
export type Towards = number | (typeof TOWARDS)[number];

/** No target: the sample is of the class that all others are led to. */
export const NO_TARGET = -1;

/** Reads `--towards`. Errors: `option/invalid`. */
export function towardsFrom(text: string): Towards {
  const known = TOWARDS.find((each) => each === text);
  if (known) return known;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new GlacisError(
    'option/invalid',
    `--towards: expected the number of a class, ${TOWARDS.join(', ')}, got '${text}'`,
  );
}

/** Throws `option/invalid` where the model has no such classes. */
export function checkTowards(towards: Towards, task: Task, classes: number): void {
  if (task !== 'classification')
    throw new GlacisError(
      'option/invalid',
      `--towards: expected a model that tells one of several classes, got the task ${task}`,
    );
  if (typeof towards === 'number' && !(Number.isInteger(towards) && towards >= 0 && towards < classes))
    throw new GlacisError(
      'option/invalid',
      `--towards: expected a class from 0 to ${classes - 1}, got ${towards}`,
    );
}

/** What targets are chosen by, for samples one after another. */
export interface TargetFacts {
  readonly labels: ArrayLike<number>;
  /** Scores of the clean samples, `[n, classes]`. */
  readonly scores: Float32Array;
  readonly classes: number;
  readonly seed: number;
  /** Number of the first sample, so that draws belong to samples and not to positions. */
  readonly firstSample: number;
}

/** The class that each sample is led to, never its label; {@link NO_TARGET} where `towards` names the label itself. */
export function targetsOf(towards: Towards, facts: TargetFacts): Int32Array {
  const { labels, classes, seed, firstSample } = facts;
  return Int32Array.from({ length: labels.length }, (_, i) => {
    const label = labels[i]!;
    switch (towards) {
      case 'least-likely':
        return leastLikely(facts, i);
      case 'next':
        return (label + 1) % classes;
      case 'random':
        return (
          (label + 1 + Math.floor(randomFrom(seed, 'towards', firstSample + i).uniform() * (classes - 1))) %
          classes
        );
      default:
        return label === towards ? NO_TARGET : towards;
    }
  });
}

/** The class of the least score beside the label; the first of equal ones. */
function leastLikely({ labels, scores, classes }: TargetFacts, i: number): number {
  let least = NO_TARGET;
  for (let k = 0; k < classes; k++) {
    if (k === labels[i]) continue;
    if (least === NO_TARGET || scores[i * classes + k]! < scores[i * classes + least]!) least = k;
  }
  return least;
}

/** Where samples are led, in words. */
export function towardsInWords(towards: Towards | string): string {
  switch (towards) {
    case 'least-likely':
      return 'the class that the model finds least likely';
    case 'random':
      return 'a class drawn at random for each sample';
    case 'next':
      return 'the class after the label';
    default:
      return `class ${towards}`;
  }
}

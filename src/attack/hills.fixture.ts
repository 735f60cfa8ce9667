import { randomFrom } from '../core/random.ts';
import { classificationGoal } from '../threat/goal.ts';
import type { ImageDims } from '../threat/image-dims.ts';
import type { Ball } from '../threat/norm.ts';
import type { Answer, Question, Talk } from './question.ts';
import type { Victim } from './sample-attack.ts';

/** Elements of the sample. */
export const SIZE = 20;

const random = randomFrom(5, 'apgd');

/** The clean sample of {@link hills}, in [0, 1]. */
export const x0 = Float32Array.from({ length: SIZE }, () => random.uniform());

const slopes = Array.from({ length: SIZE }, () => random.normal());
const phases = Array.from({ length: SIZE }, () => 6 * random.uniform());

/** A loss and its gradient. */
export type Landscape = (x: ArrayLike<number>) => { readonly loss: number; readonly gradient: Float32Array };

/** Hills with `frequency` of them along each axis of length 2π. */
function landscape(frequency: number): Landscape {
  return (x) => {
    let loss = -3;
    const gradient = new Float32Array(SIZE);
    for (let i = 0; i < SIZE; i++) {
      loss += slopes[i]! * Math.sin(frequency * x[i]! + phases[i]!) + 0.1 * x[i]! * x[(i + 1) % SIZE]!;
      gradient[i] =
        frequency * slopes[i]! * Math.cos(frequency * x[i]! + phases[i]!) +
        0.1 * (x[(i + 1) % SIZE]! + x[(i + SIZE - 1) % SIZE]!);
    }
    return { loss, gradient };
  };
}

/** A loss with many hills. */
export const hills = landscape(9);

/** A loss that bends little. */
export const gentleHills = landscape(3);

/** A victim whose clean sample is {@link x0}. */
export function victimIn(ball: Ball, image?: ImageDims): Victim {
  return {
    sample: 0,
    x0,
    size: SIZE,
    sampleDims: image ? [image.channels, image.height, image.width] : [SIZE],
    image,
    classes: 2,
    goal: classificationGoal([0], 2),
    ball,
    together: false,
    *gradient(point, question = {}) {
      return yield { kind: 'gradient', point, loss: 'goal', ...question };
    },
    *answers(points, count = 1) {
      return yield { kind: 'answers', points, count };
    },
    rng: (...keys) => randomFrom(3, 'victim', ...keys),
    left: () => Number.POSITIVE_INFINITY,
    others: { count: 0, point: () => x0, aim: () => 0 },
    best: () => ({ x: x0, distance: 0, reached: false }),
  };
}

/** All that a talk asks about, the hills answering. */
export function asked(
  talk: Talk,
  over: Landscape = hills,
): { readonly points: number[][]; readonly questions: Question[] } {
  const points: number[][] = [];
  const questions: Question[] = [];
  let step = talk.next();
  while (!step.done) {
    const question = step.value;
    const point = question.kind === 'gradient' ? question.point : question.points;
    points.push([...point]);
    questions.push(question);
    const answer: Answer = {
      logits: new Float32Array(2),
      margins: [1],
      reached: [false],
      ...over(point),
    };
    step = talk.next(answer);
  }
  return { points, questions };
}

/** Whether two lists of points are the same up to float32's rounding over some steps. */
export function gapBetween(points: readonly number[][], expected: readonly number[][]): number {
  if (points.length !== expected.length) return Number.POSITIVE_INFINITY;
  let gap = 0;
  for (const [step, point] of points.entries())
    for (const [i, v] of point.entries()) gap = Math.max(gap, Math.abs(v - expected[step]![i]!));
  return gap;
}

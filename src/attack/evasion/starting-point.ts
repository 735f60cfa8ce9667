import { distance } from '../../threat/norm.ts';
import { restoreFixed } from '../free-elements.ts';
import { noiseFrom } from '../noise.ts';
import { pointsAtOnce } from '../points-at-once.ts';
import type { Talk } from '../question.ts';
import type { Victim } from '../sample-attack.ts';

/** Steps from the clean sample to what it is blended with, and how many of them one question holds. */
const BLENDS = 50;
const BLENDS_AT_ONCE = 5;

/** Other samples that are looked at, how many of them are asked about, and how many in one question. */
const OTHERS = 1000;
const OTHERS_ASKED = 64;
const OTHERS_AT_ONCE = 8;

/**
 * A point that reaches the goal, for attacks that see decisions only: noise, uniform within the bounds, of which as little as needed (in
 * steps of 1/50) is blended into the clean sample, as foolbox's attacks start (Brendel et al. 2018). Half the draws after the first
 * take the bounds themselves instead of what lies between; where bounds are open, noise is normal and grows from draw to draw.
 *
 * Noise often belongs to one class; a sample of that class starts from another clean sample instead, the nearest of another
 * class that reaches the goal. `undefined` where nothing does. Runs after the first (`run` above 0) draw other noise. Cost: up to `tries` answers on noise (most samples need one), then up to
 * 64 on other samples; about 10 for the blending.
 */
export function* adversarialStart(victim: Victim, tries: number, run = 0): Talk<Float32Array | undefined> {
  const far = (yield* adversarialNoise(victim, tries, run)) ?? (yield* adversarialSample(victim));
  if (!far) return undefined;
  const { x0, size, answers } = victim;
  const points = new Float32Array(BLENDS_AT_ONCE * size);
  for (let first = 1; first < BLENDS; first += BLENDS_AT_ONCE) {
    const count = Math.min(BLENDS_AT_ONCE, BLENDS - first);
    for (let p = 0; p < count; p++) {
      const share = (first + p) / BLENDS;
      for (let i = 0; i < size; i++) points[p * size + i] = x0[i]! + share * (far[i]! - x0[i]!);
    }
    const { reached } = yield* answers(points, count);
    const at = reached.indexOf(true);
    if (at >= 0) return points.slice(at * size, (at + 1) * size);
  }
  return far;
}

function* adversarialNoise(
  { x0, size, ball, rng, answers }: Victim,
  tries: number,
  run: number,
): Talk<Float32Array | undefined> {
  const [low, high] = ball.bounds;
  const noise = noiseFrom(run === 0 ? rng('start') : rng('start', run));
  const most = pointsAtOnce(size);
  const points = new Float32Array(Math.min(most, tries) * size);
  for (let tried = 0, wanted = 1; tried < tries; wanted *= 2) {
    const count = Math.min(wanted, most, tries - tried);
    for (let p = 0; p < count; p++) {
      const point = points.subarray(p * size, (p + 1) * size);
      if (!Number.isFinite(high - low)) {
        noise.normals(point);
        for (let i = 0; i < size; i++) point[i] = Math.min(high, Math.max(low, x0[i]! + wanted * point[i]!));
      } else if ((tried + p) % 2 === 0) noise.uniforms(point, low, high);
      else {
        noise.signs(point);
        for (let i = 0; i < size; i++) point[i] = point[i]! > 0 ? high : low;
      }
    }
    restoreFixed(ball, x0, points);
    const { reached } = yield* answers(points, count);
    const at = reached.indexOf(true);
    if (at >= 0) return points.slice(at * size, (at + 1) * size);
    tried += count;
  }
  return undefined;
}

/**
 * Another clean sample that reaches the goal: the nearest (in l2) of another class; where the goal does not say of which classes the others
 * are (a target class, outputs without classes), any, at random.
 */
function* adversarialSample(victim: Victim): Talk<Float32Array | undefined> {
  const { x0, size, ball, others, answers } = victim;
  const candidates = likelyOthers(victim);
  const points = new Float32Array(OTHERS_AT_ONCE * size);
  for (let first = 0; first < candidates.length; first += OTHERS_AT_ONCE) {
    const asked = candidates.slice(first, first + OTHERS_AT_ONCE);
    for (const [p, i] of asked.entries()) points.set(others.point(i), p * size);
    restoreFixed(ball, x0, points);
    const { reached } = yield* answers(points, asked.length);
    const at = reached.indexOf(true);
    if (at >= 0) return points.slice(at * size, (at + 1) * size);
  }
  return undefined;
}

function likelyOthers({ sample, x0, size, goal, others, rng }: Victim): readonly number[] {
  const own = goal.targeted ? undefined : goal.aim(sample);
  const seen = Array.from({ length: Math.min(others.count, OTHERS) }, (_, i) => i);
  const draw = rng('others');
  const ranked =
    own === undefined
      ? seen.map((i) => ({ i, rank: draw.uniform() }))
      : seen
          .filter((i) => others.aim(i) !== own)
          .map((i) => ({ i, rank: distance('l2', others.point(i), x0, 0, size) }));
  ranked.sort((a, b) => a.rank - b.rank || a.i - b.i);
  return ranked.slice(0, OTHERS_ASKED).map(({ i }) => i);
}

/**
 * The bundled example's data: pictures of sixteen traffic signs, drawn by this code alone.
 *
 * A picture is made as a camera would make it: a scene, the pole, the sign seen in perspective, what covers it, light,
 * blur, noise, eight bits. Every step draws from the sample's own generator, so a sample's bytes depend on the seed,
 * the split and its index and on nothing else. They are also the same on every machine and engine: only operations
 * that ECMAScript fixes to the bit are used (see `trigonometry.ts`), and `Rng.normal` is not.
 *
 * Four samples in ten are made harder on purpose (see `trouble.ts`) and a few cannot be told by anyone.
 */

import { GlacisError } from '../../core/error.ts';
import { type Rng, randomFrom } from '../../core/random.ts';
import { shuffle } from '../../core/shuffle.ts';
import { projectFace, randomPose } from './camera.ts';
import { faceOf } from './face.ts';
import { light } from './light.ts';
import { obstruct } from './obstruction.ts';
import { between, PLANE, SIZE } from './picture.ts';
import { paintPole, paintScene } from './scene.ts';
import { blur, expose } from './sensor.ts';
import { SIGNS } from './signs.ts';
import { drawTroubles, strength } from './trouble.ts';

/** The classes in label order: `SIGN_CLASSES[y].name` is what a reader sees, `id` is fit for a file name. */
export const SIGN_CLASSES: readonly { readonly id: string; readonly name: string }[] = Object.freeze(
  SIGNS.map(({ id, name }) => Object.freeze({ id, name })),
);

/** Shape of one picture: channels (red, green, blue), height, width. */
export const SIGN_SHAPE = Object.freeze([3, SIZE, SIZE] as const);

/** Which samples `renderSplit` renders. */
export interface SplitOptions {
  /** Any finite number. */
  readonly seed: number;
  readonly split: 'train' | 'test';
  /** How many samples. */
  readonly n: number;
  /** Index of the first sample; 0 if left out. */
  readonly start?: number;
}

/** Samples of a split: `x` is `[n, 3, 32, 32]` row-major in 0…255, `y[i]` indexes {@link SIGN_CLASSES}. */
export interface SignSamples {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/**
 * One picture of a sign, `[3, 32, 32]` row-major (red plane, green plane, blue plane), 0…255.
 *
 * @throws GlacisError `option/invalid` if there is no such class.
 */
export function renderSign(classIndex: number, rng: Rng): Uint8Array {
  if (SIGNS[classIndex] === undefined) {
    throw new GlacisError(
      'option/invalid',
      `renderSign: expected a class from 0 to ${SIGNS.length - 1}, got ${classIndex}`,
    );
  }
  const troubles = drawTroubles(rng);
  const scene = paintScene(rng);
  const pose = randomPose(rng, troubles.has('small'));
  if (rng.uniform() < 0.6) paintPole(scene, pose.x, pose.y, pose.radius, rng);
  const fade = strength(rng, troubles.has('faded'), [0, 0.15], [0.3, 0.65]);
  projectFace(scene, faceOf(classIndex), pose, fade, between(rng, 0.35, 0.85));
  obstruct(scene, pose, troubles.has('covered'), rng);
  light(scene, troubles.has('dark'), troubles.has('hazy'), rng);
  const seen = blur(scene, troubles.has('blurred'), troubles.has('moving'), rng);
  return expose(seen, troubles.has('noisy'), rng);
}

/**
 * Samples `start` to `start + n - 1` of an endless split. Classes are balanced: every sixteen samples from a multiple
 * of sixteen on hold each class once, in random order. Rendering in parts gives the same samples as rendering at once.
 *
 * @throws GlacisError `option/invalid` for an unknown split, or a seed, `n` or `start` out of range.
 * @example
 * const { x, y } = renderSplit({ seed: 1, split: 'test', n: 512 });
 */
export function renderSplit({ seed, split, n, start = 0 }: SplitOptions): SignSamples {
  check(Number.isFinite(seed), 'seed', 'a finite number', seed);
  check(split === 'train' || split === 'test', 'split', "'train' or 'test'", split);
  check(Number.isSafeInteger(n) && n >= 0 && n <= 1_000_000, 'n', 'a whole number up to 1,000,000', n);
  check(
    Number.isSafeInteger(start) && start >= 0 && start <= 2 ** 40,
    'start',
    'a whole number up to 2⁴⁰',
    start,
  );
  const x = new Uint8Array(n * 3 * PLANE);
  const y = new Uint8Array(n);
  for (let k = 0; k < n; k++) {
    const index = start + k;
    y[k] = classOf(seed, split, index);
    x.set(renderSign(y[k]!, randomFrom(seed, 'traffic-signs', split, index)), k * 3 * PLANE);
  }
  return { x, y };
}

function classOf(seed: number, split: string, index: number): number {
  const count = SIGNS.length;
  const rng = randomFrom(seed, 'traffic-signs', split, 'classes', Math.floor(index / count));
  const order = shuffle(
    Array.from(SIGNS, (_, i) => i),
    rng,
  );
  return order[index % count]!;
}

function check(holds: boolean, option: string, expected: string, got: unknown): void {
  if (!holds)
    throw new GlacisError(
      'option/invalid',
      `renderSplit ${option}: expected ${expected}, got ${String(got)}`,
    );
}

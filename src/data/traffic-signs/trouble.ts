/** What makes some pictures hard, drawn per sample so that hard pictures are a tail and not the rule. */
import type { Rng } from '../../core/random.ts';
import { between, pick } from './picture.ts';

const TROUBLES = ['small', 'dark', 'hazy', 'blurred', 'moving', 'noisy', 'covered', 'faded'] as const;

/** A way in which a picture can be hard. */
export type Trouble = (typeof TROUBLES)[number];

/** The troubles of one sample: none for six in ten, one for three in ten, two (at times the same twice) for the rest. */
export function drawTroubles(rng: Rng): ReadonlySet<Trouble> {
  const fate = rng.uniform();
  if (fate < 0.6) return new Set();
  return new Set(fate < 0.9 ? [pick(rng, TROUBLES)] : [pick(rng, TROUBLES), pick(rng, TROUBLES)]);
}

/** Uniform in `hard` if the trouble is there, else in `usual`. Draws once either way. */
export function strength(
  rng: Rng,
  trouble: boolean,
  usual: readonly [number, number],
  hard: readonly [number, number],
): number {
  return trouble ? between(rng, hard[0], hard[1]) : between(rng, usual[0], usual[1]);
}

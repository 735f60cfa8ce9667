import type { Attack } from '../attack.ts';
import { clearFixed } from '../free-elements.ts';
import { noiseFrom } from '../noise.ts';
import { numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';
import { adversarialStart } from './starting-point.ts';

/** Options of the boundary attack. */
export interface BoundaryOptions {
  readonly steps: number;
  /** First length of a step on the sphere around the sample, as a share of the distance. */
  readonly sphericalStep: number;
  /** First length of a step towards the sample, as a share of the distance. */
  readonly sourceStep: number;
  /** It ends once `sourceStep` has become smaller than this. */
  readonly sourceStepConvergence: number;
  /** Factor by which both lengths adapt. */
  readonly stepAdaptation: number;
  /** Draws of noise for the starting point. */
  readonly initSize: number;
  /** Most queries for one sample. */
  readonly queries: number;
}

/** Every so many steps the step on the sphere is asked about by itself, to learn how well both parts succeed. */
const WATCH = 10;

/** The last `length` outcomes of something. */
function outcomes(length: number) {
  let seen: boolean[] = [];
  return {
    add(outcome: boolean) {
      if (seen.push(outcome) > length) seen.shift();
    },
    /** The share of successes, once there are enough to say. */
    share: () => (seen.length === length ? seen.filter(Boolean).length / length : undefined),
    clear() {
      seen = [];
    },
  };
}

/**
 * The boundary attack (Brendel, Rauber & Bethge 2018) as foolbox has it: a random walk along the boundary, each step at random on
 * the sphere around the sample, then a little towards it; the lengths follow how often steps succeed.
 * Cost: 1.1 answers a step, up to `queries`, one after another.
 */
export const boundary: Attack<BoundaryOptions> = defineSampleAttack({
  id: 'boundary',
  title: 'Boundary attack',
  needs: 'labels',
  seeks: 'minimum',
  norms: ['l2'],
  source: 'https://arxiv.org/abs/1712.04248',
  use: 'The first attack on decisions alone, to compare with published figures; HopSkipJump needs far fewer queries.',
  defaults: {
    steps: 25000,
    sphericalStep: 0.01,
    sourceStep: 0.01,
    sourceStepConvergence: 1e-7,
    stepAdaptation: 1.5,
    initSize: 100,
    queries: 27600,
  },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'sphericalStep', 0);
    numberIn(options, 'sourceStep', 0);
    numberIn(options, 'sourceStepConvergence', 0, 1, 'or equal');
    numberIn(options, 'stepAdaptation', 1);
    wholeFrom(options, 'initSize', 1);
    wholeFrom(options, 'queries', 1);
  },
  cost: ({ steps, queries }) => ({
    gradients: 0,
    evaluations: Math.min(queries, Math.ceil(steps * (1 + 1 / WATCH))),
  }),
  *talk(victim, options) {
    const { x0, size, ball, answers } = victim;
    const [low, high] = ball.bounds;
    const { steps, sourceStepConvergence, stepAdaptation } = options;
    let { sphericalStep, sourceStep } = options;
    const x = yield* adversarialStart(victim, options.initSize);
    if (!x) return;
    const noise = noiseFrom(victim.rng('walk'));
    const eta = new Float32Array(size);
    const points = new Float32Array(2 * size);
    const candidate = points.subarray(0, size);
    const spherical = points.subarray(size);
    const onSphere = outcomes(100);
    const towards = outcomes(30);
    for (let step = 1; step <= steps && sourceStep >= sourceStepConvergence; step++) {
      const far = length(x, x0);
      if (!(far > 0)) return;
      noise.normals(eta);
      clearFixed(ball, eta);
      propose(x, x0, far, eta, sphericalStep, sourceStep, [low, high], candidate, spherical);
      const watching = step % WATCH === 0;
      const { reached } = yield* answers(points, watching ? 2 : 1);
      if (reached[0] && length(candidate, x0) < far) x.set(candidate);
      if (!watching) continue;
      onSphere.add(reached[1]!);
      towards.add(reached[0]!);
      // Half of the steps on the sphere should succeed where the boundary is flat; far fewer mean that they are too long.
      const sphere = onSphere.share();
      if (sphere !== undefined && (sphere > 0.5 || sphere < 0.2)) {
        const factor = sphere > 0.5 ? stepAdaptation : 1 / stepAdaptation;
        sphericalStep *= factor;
        sourceStep *= factor;
        onSphere.clear();
      }
      const source = towards.share();
      if (source !== undefined && (source > 0.25 || source < 0.1)) {
        sourceStep *= source > 0.25 ? stepAdaptation : 1 / stepAdaptation;
        towards.clear();
      }
    }
  },
});

/** Draws the next point on the sphere through `x` around `x0`, and from there one nearer to `x0`; `eta` is used up. */
function propose(
  x: Float32Array,
  x0: Float32Array,
  far: number,
  eta: Float32Array,
  sphericalStep: number,
  sourceStep: number,
  [low, high]: readonly [number, number],
  candidate: Float32Array,
  spherical: Float32Array,
): void {
  const size = x.length;
  let along = 0;
  for (let i = 0; i < size; i++) along += (eta[i]! * (x0[i]! - x[i]!)) / far;
  let total = 0;
  for (let i = 0; i < size; i++) {
    eta[i] = eta[i]! - (along * (x0[i]! - x[i]!)) / far;
    total += eta[i]! ** 2;
  }
  const scale = (sphericalStep * far) / Math.max(Math.sqrt(total), 1e-30);
  // Back onto the sphere by Pythagoras.
  const shrink = 1 / Math.sqrt(sphericalStep ** 2 + 1);
  let left = 0;
  for (let i = 0; i < size; i++) {
    const v = x0[i]! + (scale * eta[i]! - (x0[i]! - x[i]!)) * shrink;
    spherical[i] = Math.min(high, Math.max(low, v));
    left += (x0[i]! - spherical[i]!) ** 2;
  }
  left = Math.sqrt(left);
  // What clipping has already brought it nearer counts towards the step.
  const share = left > 0 ? Math.max(0, sourceStep * far + left - far) / left : 0;
  for (let i = 0; i < size; i++) {
    const v = spherical[i]! + share * (x0[i]! - spherical[i]!);
    candidate[i] = Math.min(high, Math.max(low, v));
  }
}

function length(x: Float32Array, x0: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += (x[i]! - x0[i]!) ** 2;
  return Math.sqrt(total);
}

import type { Rng } from '../../core/random.ts';
import type { ImageDims } from '../../threat/image-dims.ts';
import type { Attack } from '../attack.ts';
import { momentumStep } from '../momentum-step.ts';
import { numberIn } from '../option-checks.ts';
import { pictureOf } from '../picture-of.ts';
import type { Talk } from '../question.ts';
import { type Placement, resizeAndPad } from '../resize-and-pad.ts';
import { defineSampleAttack, type Victim } from '../sample-attack.ts';
import { checkMomentum, type MomentumOptions } from './mi-fgsm.ts';

/** Options of the diverse-inputs method. */
export interface DiverseOptions extends MomentumOptions {
  /** The smallest size that a picture is resized to, as a share of its own. */
  readonly resizeRate: number;
  /** How often it is resized at all. */
  readonly diversityProb: number;
}

/** A random size of at least `share` of the picture's and below it, and a random place for it. */
function placementIn({ height, width }: ImageDims, share: number, rng: Rng): Placement {
  const least = Math.max(1, Math.floor(share * height));
  const rows = least < height ? least + rng.integer(height - least) : height;
  const columns = Math.max(1, Math.floor((rows * width) / height));
  return {
    height: rows,
    width: columns,
    top: rng.integer(height - rows + 1),
    left: rng.integer(width - columns + 1),
  };
}

/** The attack on one sample. */
export function* diverseTalk(victim: Victim, options: DiverseOptions): Talk {
  const { x0, size, ball, gradient, answers, rng } = victim;
  const image = pictureOf(victim, 'di-fgsm');
  const dark = Number.isFinite(ball.bounds[0]) ? ball.bounds[0] : 0;
  const random = rng();
  const x = x0.slice();
  const varied = new Float32Array(size);
  const back = new Float32Array(size);
  const { advance } = momentumStep(ball, x0, options);
  for (let step = 0; step < options.steps; step++) {
    if (random.uniform() >= options.diversityProb) {
      advance(x, (yield* gradient(x)).gradient);
      continue;
    }
    const map = resizeAndPad(image, placementIn(image, options.resizeRate, random), dark);
    map.apply(x, varied);
    map.adjoint((yield* gradient(varied, { probe: true })).gradient, back);
    advance(x, back);
  }
  yield* answers(x);
}

/**
 * DI²-FGSM (Xie et al. 2019): iterative FGSM whose gradients are those at randomly resized and padded copies of the picture, taken back
 * through the resizing by its exact transpose. Sizes as in torchattacks, which shrinks pictures within a frame of their own size, where
 * the paper enlarges them for a network of larger input; every sample draws for itself. What is padded is as dark as the bounds allow.
 * With `decay` 1 it is M-DI²-FGSM. Pictures only. Cost: `steps` gradients and one plain answer.
 */
export const diFgsm: Attack<DiverseOptions> = defineSampleAttack({
  id: 'di-fgsm',
  title: 'Diverse inputs iterative fast gradient method',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1803.06978',
  use: 'Made for transfer between models of pictures; weaker than bim on the model itself.',
  defaults: {
    steps: 10,
    relativeStep: 0.1,
    decay: 0,
    resizeRate: 0.9,
    diversityProb: 0.5,
    rounding: 'zero',
  },
  check(options) {
    checkMomentum(options);
    numberIn(options, 'resizeRate', 0, 1);
    numberIn(options, 'diversityProb', 0, 1, 'or equal');
  },
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  talk: diverseTalk,
});

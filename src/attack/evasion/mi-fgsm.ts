import type { Attack } from '../attack.ts';
import { projectOnto, steepest } from '../ball-geometry.ts';
import { choiceOf, numberIn, wholeFrom } from '../option-checks.ts';
import { defineSampleAttack } from '../sample-attack.ts';

/** Options of the momentum iterative method. */
export interface MomentumOptions {
  readonly steps: number;
  /** Length of a step as a share of eps. */
  readonly relativeStep: number;
  /** What is kept of the directions before. */
  readonly decay: number;
  /** Gradient through rounding and quantisation: `zero` or `straight-through`. */
  readonly rounding: 'zero' | 'straight-through';
}

/**
 * The momentum iterative fast gradient sign method (Dong et al. 2018): steps along the accumulated gradient
 * `m ← decay · m + g / ‖g‖₁`, from the sample itself. Cost: `steps` gradients and one plain answer.
 */
export const miFgsm: Attack<MomentumOptions> = defineSampleAttack({
  id: 'mi-fgsm',
  title: 'Momentum iterative fast gradient method',
  needs: 'gradient',
  seeks: 'ball',
  norms: ['linf', 'l2'],
  source: 'https://arxiv.org/abs/1710.06081',
  use: 'Made for transfer: examples found on one model often fool another.',
  defaults: { steps: 10, relativeStep: 0.1, decay: 1, rounding: 'zero' },
  check(options) {
    wholeFrom(options, 'steps', 1);
    numberIn(options, 'relativeStep', 0);
    numberIn(options, 'decay', 0, 1, 'or equal');
    choiceOf(options, 'rounding', ['zero', 'straight-through']);
  },
  cost: ({ steps }) => ({ gradients: steps, evaluations: 1 }),
  *talk({ x0, size, ball, gradient, answers }, { steps, relativeStep, decay }) {
    const x = x0.slice();
    const momentum = new Float32Array(size);
    const direction = new Float32Array(size);
    const norm = ball.norm === 'linf' ? 'linf' : 'l2';
    for (let step = 0; step < steps; step++) {
      const { gradient: g } = yield* gradient(x);
      let total = 0;
      for (const v of g) total += Math.abs(v);
      for (let i = 0; i < size; i++) momentum[i] = decay * momentum[i]! + (total > 0 ? g[i]! / total : 0);
      steepest(norm, momentum, direction);
      for (let i = 0; i < size; i++) x[i]! += relativeStep * ball.eps * direction[i]!;
      projectOnto(ball, x, x0);
    }
    yield* answers(x);
  },
});

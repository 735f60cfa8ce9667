import type { Ball } from '../threat/norm.ts';
import { projectOnto, steepest } from './ball-geometry.ts';

/** How MI-FGSM and its relatives step. */
export interface MomentumStepOptions {
  /** Length of a step as a share of eps. */
  readonly relativeStep: number;
  /** What is kept of the directions before. */
  readonly decay: number;
}

/** The memory of one sample's iterates. */
export interface MomentumStep {
  /** `m ← decay · m + g / mean |g|`, one number an element; starts at zero. */
  readonly momentum: Float32Array;
  /** Takes a gradient in and moves `x` one step along the momentum, onto ball and bounds; in place. */
  advance(x: Float32Array, gradient: Float32Array): void;
}

/**
 * Steps along accumulated gradients (Dong et al. 2018) in the linf or l2 ball around `x0`. Gradients are divided by their mean size, as
 * the authors' code does (the paper says by their sum: the direction is the same). A gradient of zero, or with values that are no
 * numbers, adds nothing.
 */
export function momentumStep(
  ball: Ball,
  x0: Float32Array,
  { relativeStep, decay }: MomentumStepOptions,
): MomentumStep {
  const size = x0.length;
  const momentum = new Float32Array(size);
  const direction = new Float32Array(size);
  const norm = ball.norm === 'linf' ? 'linf' : 'l2';
  const step = relativeStep * ball.eps;
  return {
    momentum,
    advance(x, gradient) {
      let total = 0;
      for (let i = 0; i < size; i++) total += Math.abs(gradient[i]!);
      const scale = total > 0 && total < Number.POSITIVE_INFINITY ? size / total : 0;
      for (let i = 0; i < size; i++)
        momentum[i] = decay * momentum[i]! + (scale > 0 ? scale * gradient[i]! : 0);
      steepest(norm, momentum, direction);
      for (let i = 0; i < size; i++) x[i]! += step * direction[i]!;
      projectOnto(ball, x, x0);
    },
  };
}

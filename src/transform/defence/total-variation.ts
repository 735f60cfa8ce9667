import { GlacisError } from '../../core/error.ts';
import { numberIn, wholeFrom } from '../../core/option-checks.ts';
import type { Draft } from '../draft.ts';
import { defineDefence, type PictureForm } from './defence.ts';

/** Options of the minimisation of total variation. */
export interface TotalVariationOptions {
  /** How much smoothness counts against nearness to the picture. */
  readonly weight: number;
  /** Steps of the minimisation, up to 100. */
  readonly steps: number;
}

/** Step length: ½ a dimension, the largest at which the iteration is known to settle in practice. */
const TAU = 1 / 4;

/** Keeps the gradient of a root finite at 0; far below what a 32-bit pixel can show. */
const FLOOR = 1e-12;

/** Each step adds some 20 nodes to the model. */
const MOST = 100;

/**
 * The picture nearby that varies least, `argmin_u ½‖u − x‖² + weight · TV(u)` for each channel (Rudin, Osher and Fatemi 1992), by a fixed
 * number of steps of Chambolle's projection (2004) as scikit-image's `denoise_tv_chambolle` takes them:
 * `p ← (p − τ ∇u) / (1 + τ/weight · |∇u|)` and `u = x + ∇*p`, from p = 0. Guo et al. also leave out pixels at random, which this does not.
 */
export const totalVariation = defineDefence<TotalVariationOptions>({
  id: 'total-variation',
  title: 'Total-variation minimisation',
  source: 'https://arxiv.org/abs/1711.00117',
  use: 'Takes noise away and keeps edges. Smooth, so that attackers go through it.',
  random: false,
  defaults: { weight: 0.1, steps: 10 },
  check(options) {
    numberIn(options, 'weight', 0, 100);
    wholeFrom(options, 'steps', 1);
    if (options.steps > MOST)
      throw new GlacisError('option/invalid', `steps: expected at most ${MOST}, got ${options.steps}`);
  },
  apply(draft, x, form, { weight, steps }) {
    let u = x;
    let field: readonly string[] | undefined;
    for (let step = 0; step < steps; step++) {
      const slopes = AXES.map((axis) => forwardDifference(draft, u, axis, form));
      const squares = slopes.map((g) => draft.node('Mul', [g, g]));
      const sum = draft.node('Add', [draft.node('Add', [squares[0]!, squares[1]!]), draft.number(FLOOR)]);
      const length = draft.node('Mul', [draft.node('Sqrt', [sum]), draft.number(TAU / weight)]);
      const scale = draft.node('Add', [length, draft.number(1)]);
      const before = field;
      field = slopes.map((g, axis) => {
        const moved = draft.node('Mul', [g, draft.number(-TAU)]);
        const next = before ? draft.node('Add', [before[axis]!, moved]) : moved;
        return draft.node('Div', [next, scale]);
      });
      const parts = field.map((p, i) => backwardDifference(draft, p, AXES[i]!, form));
      u = draft.node('Add', [x, draft.node('Add', [parts[0]!, parts[1]!])]);
    }
    return u;
  },
});

const AXES = [2, 3] as const;

/** `g[i] = u[i + 1] − u[i]`, 0 at the end. */
function forwardDifference(draft: Draft, u: string, axis: 2 | 3, form: PictureForm): string {
  const size = axis === 2 ? form.height : form.width;
  const part = (from: number, to: number) =>
    draft.node('Slice', [u, draft.ints([from]), draft.ints([to]), draft.ints([axis])]);
  return shifted(draft, draft.node('Sub', [part(1, size), part(0, size - 1)]), axis, 'after');
}

/** `d[i] = p[i − 1] − p[i]`, with 0 before the start: minus the adjoint of the forward difference up to its last row, where p is 0. */
function backwardDifference(draft: Draft, p: string, axis: 2 | 3, form: PictureForm): string {
  const size = axis === 2 ? form.height : form.width;
  const head = draft.node('Slice', [p, draft.ints([0]), draft.ints([size - 1]), draft.ints([axis])]);
  return draft.node('Sub', [shifted(draft, head, axis, 'before'), p]);
}

/** With a row of zeros at one end of an axis. */
function shifted(draft: Draft, x: string, axis: 2 | 3, where: 'before' | 'after'): string {
  const pads = new Array<number>(8).fill(0);
  pads[axis + (where === 'after' ? 4 : 0)] = 1;
  return draft.node('Pad', [x, draft.ints(pads), draft.number(0)], { mode: 'constant' });
}

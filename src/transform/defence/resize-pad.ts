import { numberIn, wholeFrom } from '../../core/option-checks.ts';
import { float } from '../../onnx/attributes.ts';
import type { Draft } from '../draft.ts';
import { defineDefence } from './defence.ts';

/** Options of random resizing and padding. */
export interface ResizePadOptions {
  /** The smallest size, as a share of the picture's; sizes are drawn evenly from there to the whole. */
  readonly least: number;
  /**
   * Seed of the draws of a session, so that sessions repeat each other; 0 leaves it to the runtime, which takes another in each process.
   */
  readonly seed: number;
}

/**
 * Every picture is made smaller at random and laid at a random place on black, drawn anew for each answer (Xie et al. 2018, who make it
 * larger instead, which needs a model that takes any size; their shares are 0.903 to 1). Sizes and places need not be whole pixels.
 * Sampling is bilinear without smoothing and written as two products with matrices made from the draws, so that no shape depends on them.
 */
export const resizePad = defineDefence<ResizePadOptions>({
  id: 'resize-pad',
  title: 'Random resizing and padding',
  source: 'https://arxiv.org/abs/1711.01991',
  use: 'Makes gradients depend on a draw. Averaging the gradient over some draws undoes it.',
  random: true,
  defaults: { least: 0.9, seed: 0 },
  check(options) {
    numberIn(options, 'least', 0.1, 1);
    wholeFrom(options, 'seed', 0);
  },
  apply(draft, x, { height, width }, { least, seed }) {
    // One number a picture: [n, 1, 1, 1].
    const pixel = draft.node('Slice', [
      x,
      draft.ints([0, 0, 0]),
      draft.ints([1, 1, 1]),
      draft.ints([1, 2, 3]),
    ]);
    const drawn = (key: number) =>
      draft.node('RandomUniformLike', [pixel], {
        low: float(0),
        high: float(1),
        ...(seed > 0 && { seed: float(seed + key / 4) }),
      });
    const share = draft.node('Add', [
      draft.node('Mul', [drawn(0), draft.number(1 - least)]),
      draft.number(least),
    ]);
    const down = resampling(draft, height, share, drawn(1));
    const across = draft.node('Transpose', [resampling(draft, width, share, drawn(2))], {
      perm: [0, 1, 3, 2],
    });
    return draft.node('MatMul', [draft.node('MatMul', [down, x]), across]);
  },
});

/**
 * Matrices `[n, 1, size, size]` that sample an axis down to `share · size` pixels and lay it at `place` (0 to 1) of the room that is left.
 * Pixel `i` takes from `j` the weight `max(0, 1 − |uᵢ − j|)`, where `uᵢ = (i + ½ − start) / share − ½` is its place on the axis, times the
 * part of it that is covered.
 */
function resampling(draft: Draft, size: number, share: string, place: string): string {
  const column = draft.floats(
    [size, 1],
    Array.from({ length: size }, (_, i) => i),
  );
  const row = draft.floats(
    [1, size],
    Array.from({ length: size }, (_, j) => j),
  );
  const one = draft.number(1);
  const zero = draft.number(0);
  const length = draft.node('Mul', [share, draft.number(size)]);
  const start = draft.node('Mul', [draft.node('Sub', [draft.number(size), length]), place]);
  const fromStart = draft.node('Sub', [column, start]);
  const centre = draft.node('Div', [draft.node('Add', [fromStart, draft.number(0.5)]), share]);
  const at = draft.node('Clip', [
    draft.node('Sub', [centre, draft.number(0.5)]),
    zero,
    draft.number(size - 1),
  ]);
  const near = draft.node('Sub', [one, draft.node('Abs', [draft.node('Sub', [at, row])])]);
  const weights = draft.node('Max', [near, zero]);
  const begun = draft.node('Add', [fromStart, one]);
  const left = draft.node('Sub', [length, fromStart]);
  const covered = draft.node('Clip', [draft.node('Min', [begun, left]), zero, one]);
  return draft.node('Mul', [weights, covered]);
}

/**
 * The order of axes in which a step holds a weight of `dims`. Weights of two-dimensional convolutions `[O, I, H, W]` are held as
 * `[H, W, I, O]`: products over rows give their gradient in that order, Winograd's transform takes them so, and the blocked order is
 * whole blocks away.
 */
export function heldOrder(dims: readonly number[]): readonly number[] {
  return dims.length === 4 ? [2, 3, 1, 0] : [...dims.keys()];
}

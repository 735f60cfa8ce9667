/**
 * Where a place outside an axis of `size` places takes its value from. Named after what OpenCV and SciPy do, which the
 * published corruptions are made with.
 */
export type Border = (place: number, size: number) => number;

/** The nearest place: `a a a | a b c d | d d d`. */
export const nearest: Border = (place, size) => Math.min(size - 1, Math.max(0, place));

/** Mirrored at the edge, the edge doubled: `c b a | a b c d | d c b` (SciPy's `reflect`). */
export const reflect: Border = (place, size) => {
  const at = modulo(place, 2 * size);
  return at < size ? at : 2 * size - 1 - at;
};

/** Mirrored at the edge, the edge once: `d c b | a b c d | c b a` (OpenCV's `BORDER_REFLECT_101`). */
export const reflect101: Border = (place, size) => {
  if (size === 1) return 0;
  const at = modulo(place, 2 * size - 2);
  return at < size ? at : 2 * size - 2 - at;
};

function modulo(value: number, period: number): number {
  return value - period * Math.floor(value / period);
}

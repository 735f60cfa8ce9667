/** Moves points onto the L1 ball around a sample, within bounds. */
export type L1Projection = (x: Float32Array, x0: Float32Array, eps: number) => void;

/** Evaluations after which the bracket's inner end is taken; real inputs need about ten. */
const MOST_EVALUATIONS = 100;

/**
 * A projection for samples of `size` elements: the nearest point (Euclidean) that lies both in the L1 ball of radius `eps` around `x0`
 * and within `bounds`, in place, as in L1-APGD (Croce & Hein 2021, "Mind the box"); soft thresholding and clipping one after
 * the other would fall short of the ball's surface. `x0` lies within the bounds. A point that lies in both stays as it is.
 *
 * With `y = x − x0` and the room `u` that the bounds leave in y's direction, the answer is `sign(y) · clip(|y| − θ, 0, u)` for the θ ≥ 0 at
 * which it has length eps. That length falls piecewise linearly in θ: Newton steps inside a bracket find it without
 * sorting. Scratch memory is allocated once here.
 */
export function l1ProjectionFor(size: number, [low, high]: readonly [number, number]): L1Projection {
  const lengths = new Float64Array(size);
  const rooms = new Float64Array(size);
  return (x, x0, eps) => {
    let total = 0;
    let longest = 0;
    for (let i = 0; i < size; i++) {
      const y = x[i]! - x0[i]!;
      const length = y < 0 ? -y : y;
      const room = y < 0 ? x0[i]! - low : high - x0[i]!;
      lengths[i] = length;
      rooms[i] = room;
      total += length < room ? length : room;
      if (length > longest) longest = length;
    }
    const theta = total <= eps ? 0 : thresholdFor(lengths, rooms, eps, longest);
    for (let i = 0; i < size; i++) {
      const kept = Math.max(0, lengths[i]! - theta);
      // Elements that nothing shortens keep their bits.
      if (kept === lengths[i] && kept <= rooms[i]!) continue;
      const delta = Math.min(kept, rooms[i]!);
      x[i] = x0[i]! + (x[i]! < x0[i]! ? -delta : delta);
    }
  };
}

/** The θ at which the shortened lengths sum to `eps` (never more), known to lie between 0 and `longest`. */
function thresholdFor(lengths: Float64Array, rooms: Float64Array, eps: number, longest: number): number {
  let outside = 0;
  let inside = longest;
  let theta = 0;
  for (let turn = 0; turn < MOST_EVALUATIONS; turn++) {
    let total = 0;
    let sloping = 0;
    for (let i = 0; i < lengths.length; i++) {
      const rest = lengths[i]! - theta;
      if (rest <= 0) continue;
      if (rest < rooms[i]!) {
        total += rest;
        sloping++;
      } else total += rooms[i]!;
    }
    const excess = total - eps;
    if (excess > 0) outside = theta;
    else {
      inside = theta;
      if (excess >= -1e-12 * eps) break;
    }
    // Rounded up, so that the end of the search lies inside and not a bit outside.
    const next = (theta + excess / sloping) * (1 + 1e-15);
    const isBetween = next > outside && next < inside;
    theta = isBetween ? next : (outside + inside) / 2;
    if (theta <= outside || theta >= inside) break;
  }
  return inside;
}

/** Where the light of a pixel may go: the window around it, with what a unit of light costs on its way. */
export interface Reach {
  /** Pixels to each side. */
  readonly radius: number;
  /** Rows and columns to each place of the window, and the distance in pixels. The middle comes first. */
  readonly down: Int32Array;
  readonly right: Int32Array;
  readonly cost: Float64Array;
}

/** The window of `kernel × kernel` pixels (an odd number) with Euclidean distances. */
export function reachOf(kernel: number): Reach {
  const radius = (kernel - 1) / 2;
  const places: (readonly [number, number])[] = [];
  for (let down = -radius; down <= radius; down++)
    for (let right = -radius; right <= radius; right++) places.push([down, right]);
  places.sort(([a, b], [c, d]) => Math.hypot(a, b) - Math.hypot(c, d));
  return {
    radius,
    down: Int32Array.from(places, ([down]) => down),
    right: Int32Array.from(places, ([, right]) => right),
    cost: Float64Array.from(places, ([down, right]) => Math.hypot(down, right)),
  };
}

/** Points that a chart shows at least. */
const LEAST = 12;

/** The points from where something happened first, with one before it and {@link LEAST} at least: a gateway that has just begun is not a line along zero. */
export function sinceBegun<Point>(
  points: readonly Point[],
  isEmpty: (point: Point) => boolean,
): readonly Point[] {
  const first = points.findIndex((point) => !isEmpty(point));
  if (first < 0) return points;
  return points.slice(Math.max(0, Math.min(first - 1, points.length - LEAST)));
}

/** How many of `step` milliseconds that began at `at` have passed by `now`, a tenth at least: the newest step is not over yet, and of a moment there is no rate. */
export function passedOf(step: number, at: number, now: number): number {
  return Math.max(step / 10, Math.min(step, now - at));
}

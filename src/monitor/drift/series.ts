/** Score over time, for the console: the last 500 points. */
export interface Series {
  add(at: number, score: number): void;
  readonly points: () => readonly (readonly [at: number, score: number])[];
}

const MOST = 500;

/** Opens one, with the points from before. */
export function openSeries(kept: unknown = []): Series {
  const points: (readonly [number, number])[] = Array.isArray(kept)
    ? kept
        .filter(
          (p): p is [number, number] => Array.isArray(p) && Number.isFinite(p[0]) && Number.isFinite(p[1]),
        )
        .slice(-MOST)
    : [];
  return {
    add(at, score) {
      points.push([at, score]);
      if (points.length > 2 * MOST) points.splice(0, points.length - MOST);
    },
    points: () => points.slice(-MOST),
  };
}

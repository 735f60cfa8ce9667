/** A score over time, coarser the longer it is: 500 points at most. */
export interface ScoreSeries {
  /** The greatest score of each step counts. */
  take(at: number, score: number): void;
  points(): readonly (readonly [at: number, score: number])[];
}

const MOST = 500;

/** Opens one whose steps are `step` milliseconds at first; they double whenever there are too many. */
export function scoreSeries(first = 10_000): ScoreSeries {
  let step = first;
  let points: [number, number][] = [];
  return {
    take(at, score) {
      if (!Number.isFinite(score) || !Number.isFinite(at)) return;
      const last = points.at(-1);
      // What comes late is part of the last step.
      if (last !== undefined && at < last[0] + step) {
        last[1] = Math.max(last[1], score);
        return;
      }
      points.push([at, score]);
      if (points.length <= MOST) return;
      step *= 2;
      const coarse: [number, number][] = [];
      for (const point of points) {
        const before = coarse.at(-1);
        if (before !== undefined && point[0] < before[0] + step) before[1] = Math.max(before[1], point[1]);
        else coarse.push(point);
      }
      points = coarse.slice(-MOST);
    },
    points: () => points.map(([at, score]) => [at, score]),
  };
}

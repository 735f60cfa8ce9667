/** What a run of the graph costs beside its rows, in rows: messages, and weights that are handed over. */
const RUN_COST = 6;

/** Physical batches of no more than so many samples: what they need stays in the cache (measured, 26 to 128 rows of a small network: 76, 85, 83, 89 ms for 240 samples). */
const MOST_ROWS = 64;

/**
 * How many samples a physical batch holds, so that logical batches of `expected` samples on average, shared by `lanes`, cost least: large
 * enough that runs are few, and such that the last of a lane's is nearly full. Deterministic.
 */
export function physicalRows(expected: number, lanes: number, most: number = MOST_ROWS): number {
  const share = expected / lanes;
  // A logical batch's size has about this spread (Poisson).
  const spread = Math.sqrt(Math.max(1, expected)) / lanes;
  const likely = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5].map((z) => Math.max(1, Math.round(share + z * spread)));
  const cost = (rows: number) =>
    likely.reduce((sum, size) => sum + Math.ceil(size / rows) * (rows + RUN_COST), 0);
  let best = 1;
  for (let rows = 1; rows <= Math.min(most, Math.ceil(share + 3 * spread)); rows++)
    if (cost(rows) < cost(best)) best = rows;
  return best;
}

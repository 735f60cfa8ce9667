/**
 * What the measurement of guards that remember rests on, written down on 2026-11-21 before any of these clients was drawn or any of these attacks run. Settings were chosen on
 * clients drawn with other seeds from digits 0 to 20,000 of the training part, on attacks of test images 9,000 to 9,003, and on development samples of the guards' frozen
 * split. A trial of the program itself on two of the runs found no reason to change a setting, and changed none.
 */
export const FROZEN = {
  /** Digits of the training part that calm clients send: to learn, to set thresholds, to count false alarms. */
  pools: { fit: [0, 20_000], threshold: [20_000, 40_000], heldOut: [40_000, 60_000] },
  clients: { fit: 100, threshold: 1000, heldOut: 600 },
  /** Queries of a calm client. */
  queries: 100,
  seeds: { fit: 101, threshold: 102, heldOut: 103, attacks: 104, decoys: 105 },
  /** Runs of each attack, on the first samples of the frozen split's final part that the model gets right. */
  runs: 10,
  /** Queries after which an attack gives up. */
  most: 600,
  /** Runs of each way to copy, and queries of each. */
  thefts: { runs: 3, queries: 1000 },
  rates: [0.001, 0.01],
  /** PRADA as a guard says nothing before a client's hundredth distance: clients ten times as long, written down on 2026-11-23 before it was run on any of them. */
  prada: { clients: { fit: 30, threshold: 1000, heldOut: 600 }, queries: 1000 },
} as const;

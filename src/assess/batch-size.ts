import type { WhiteBoxTarget } from '../runtime/target.ts';

/** What one run of a graph may take: a quarter of a second, so that Ctrl-C is answered at once. */
const SECONDS = 0.25;
/** What a laptop's cores do together in one second; a guess that only sets the batch. */
const FLOPS = 50e9;
/** A forward pass and the gradient of the input take about three times the forward pass, activations too. */
const GRADIENT = 3;
const MEMORY_BYTES = 2 ** 30;
const MOST = 512;

/** Samples in one run of the graph: bounded by time and memory, between 1 and 512, or what the file fixes. */
export function batchFor(target: Pick<WhiteBoxTarget, 'cost' | 'fixedBatch'>): number {
  if (target.fixedBatch !== undefined) return target.fixedBatch;
  const { flops, activations } = target.cost;
  const byTime = (SECONDS * FLOPS) / Math.max(1, GRADIENT * flops);
  const byMemory = MEMORY_BYTES / Math.max(1, GRADIENT * 4 * activations);
  return Math.max(1, Math.min(MOST, Math.floor(byTime), Math.floor(byMemory)));
}

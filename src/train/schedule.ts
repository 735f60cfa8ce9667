/**
 * The learning rate of step `step` (from 0) of `total`: it rises in a straight line over the first `warmUp` steps, then falls along
 * half a cosine towards 0 (Loshchilov & Hutter 2017, without restarts).
 */
export function cosineRate(peak: number, step: number, total: number, warmUp: number): number {
  if (step < warmUp) return (peak * (step + 1)) / warmUp;
  return (peak * (1 + Math.cos((Math.PI * (step - warmUp)) / Math.max(1, total - warmUp)))) / 2;
}

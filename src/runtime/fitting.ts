/** The smallest batch of `full`, `full / 2`, `full / 4` … (at least 4) that holds `count`: few sessions, little waste. */
export function fitting(count: number, full: number): number {
  let batch = full;
  while (batch > 4 && Math.ceil(batch / 2) >= count) batch = Math.ceil(batch / 2);
  return batch;
}

import { writeSync } from 'node:fs';

/** Where whoever started this process reads, one JSON line for each signal. */
const OUT = 3;

/**
 * Loaded before a program that is watched (`node --expose-gc --import …`): on `SIGUSR2` it collects garbage and writes what memory is left, in bytes, so that what
 * is kept can be told from what merely waits for a collection. Beside what Node says of itself: threads and open files, where `/proc` has them.
 */
process.on('SIGUSR2', () => {
  // Twice: what the first collection ends may hold more.
  for (let i = 0; i < 2; i++) (globalThis as { gc?: () => void }).gc?.();
  const { user, system } = process.cpuUsage();
  writeSync(OUT, `${JSON.stringify({ ...process.memoryUsage(), cpu: (user + system) / 1e6 })}\n`);
});

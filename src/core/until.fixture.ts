import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until something holds, however long that takes: a machine that stands still for a while makes a test late and not wrong. What never comes ends with the test's own time, as does a check that
 * throws.
 */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

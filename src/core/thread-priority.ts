import { constants, getPriority, setPriority } from 'node:os';

/**
 * Lets the threads that answer callers go first where all want to run: for threads that watch or index. On Linux the priority is the calling thread's own, so only there
 * anything is done; elsewhere it would be the whole process's.
 */
export function letOthersGoFirst(): void {
  if (process.platform !== 'linux') return;
  const { PRIORITY_BELOW_NORMAL } = constants.priority;
  if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL);
}

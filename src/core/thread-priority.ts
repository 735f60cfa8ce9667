import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';

const { PRIORITY_BELOW_NORMAL } = constants.priority;

/**
 * Lets the threads that answer callers go first where all want to run: for threads that watch or index. On Linux the priority is the calling thread's own, so only there
 * anything is done; elsewhere it would be the whole process's.
 */
export function letOthersGoFirst(): void {
  if (process.platform !== 'linux') return;
  if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL);
}

/**
 * Lets V8's compilers, which all threads of the process share, wait for the threads that answer callers; gives how many of them there are. After some ten thousand calls everything
 * on their way becomes hot at once, and four compilers on two cores held up calls for a tenth of a second; code as it was before is slower for longer instead. For programs that
 * serve, not for libraries: it concerns the whole process. Only on Linux, and only where threads have names (Node.js 24).
 *
 * They help to collect garbage as well, so young objects are collected by each thread alone from then on (some 2 ms): one that answers must not wait for helpers that have no turn (10 ms).
 */
export function letCompilersWait(): number {
  if (process.platform !== 'linux') return 0;
  let found = 0;
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      if (readFileSync(`/proc/self/task/${thread}/comm`, 'utf8') !== 'V8Worker\n') continue;
      if (getPriority(Number(thread)) < PRIORITY_BELOW_NORMAL)
        setPriority(Number(thread), PRIORITY_BELOW_NORMAL);
      found++;
    } catch {
      // It has ended, or may not be changed: it stays as it was.
    }
  }
  if (found > 0) setFlagsFromString('--no-parallel-scavenge');
  return found;
}

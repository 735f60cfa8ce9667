import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** CPU seconds of all cores since the machine started. */
export interface CpuClock {
  /** Spent running anything. */
  readonly busy: number;
  /** Taken away by the hypervisor; 0 where the system does not say. */
  readonly stolen: number;
  /** Wall clock, seconds. */
  readonly at: number;
}

/** Linux counts `/proc/stat` in hundredths of a second on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Reads the machine's CPU clock: from `/proc/stat` on Linux, else from what Node.js tells about the cores. */
export function readCpuClock(): CpuClock {
  const at = performance.now() / 1000;
  if (process.platform !== 'linux') {
    const busy =
      cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
    return { busy, stolen: 0, at };
  }
  const fields = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return {
    busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    stolen: steal / TICKS_PER_SECOND,
    at,
  };
}

/** Cores kept busy between two readings by anything but `ownSeconds` of CPU time; stolen time counts as busy. */
export function foreignCores(before: CpuClock, after: CpuClock, ownSeconds: number): number {
  const busy = after.busy - before.busy + (after.stolen - before.stolen) - ownSeconds;
  return Math.max(0, busy) / (after.at - before.at);
}

/** What the machine does just now. */
export interface Load {
  /** Cores busy over the last second. */
  readonly busyCores: number;
  /** The system's 1-, 5- and 15-minute load averages. */
  readonly average: readonly number[];
}

/** Watches the machine for one second. */
export async function sampleLoad(): Promise<Load> {
  const before = readCpuClock();
  await sleep(1000);
  return { busyCores: foreignCores(before, readCpuClock(), 0), average: loadavg() };
}

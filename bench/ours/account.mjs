import { readFileSync } from 'node:fs';

/** Linux counts `/proc/self/stat` in hundredths of a second on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** CPU seconds of this process' children that have ended; 0 where the system does not say. */
function childrenCpu() {
  if (process.platform !== 'linux') return 0;
  // The name in parentheses may hold spaces; the fields after it are numbered from 3 in proc(5).
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

// Plain JavaScript, so that what strips types is not loaded for it. Loaded with --import in front of a program, this prints bench/side.ts' last line when the program ends.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpu = (userCPUTime + systemCPUTime) / 1e6 + childrenCpu();
  process.stdout.write(`${JSON.stringify({ event: 'done', cpu, peakRssBytes: maxRSS * 1024 })}\n`);
});

import type { Load } from '../load.ts';
import type { Machine } from '../machine.ts';

/** What a question of the console's pages took: milliseconds from asking until the whole answer was there, the first time and 20 times after it. */
export interface ConsoleLine {
  readonly id: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly first: number;
  readonly median: number;
  readonly worst: number;
}

/** What was measured, and how. */
export interface ConsoleReport {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  /** Before the first question. */
  readonly load: Load;
  readonly decisions: number;
  readonly lines: readonly ConsoleLine[];
}

/** The page of bench/results/console.md. */
export function consolePage({ command, date, machine, load, decisions, lines }: ConsoleReport): string {
  const row = ({ id, path, status, bytes, first, median, worst }: ConsoleLine) =>
    `| ${id} | \`${path.split('?')[0]}\` | ${status} | ${(bytes / 1024).toFixed(1)} | ${first.toFixed(1)} | ${median.toFixed(1)} | ${worst.toFixed(1)} |`;
  const slow = lines.filter(({ first, worst }) => Math.max(first, worst) > 200);
  return [
    `# console, ${date.slice(0, 10)}`,
    '',
    `- command: \`${command}\``,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}`,
    `- behind the pages: ${decisions.toLocaleString('en-US')} decisions in the log (signed, indexed), 100,000 clients with sums of 30 days, 5,000 cases with 100,000 alarms, 20,000 reviews, 90,000 keys; SQLite`,
    '- each question over HTTP on loopback, one after the other: milliseconds of the first, then median and worst of 20',
    `- before: ${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
    `- above 200 ms, the first time or at worst: ${slow.map(({ id }) => id).join('; ') || 'none'}`,
    '',
    '| what is asked | route | status | KiB | first | median | worst |',
    '|---|---|---:|---:|---:|---:|---:|',
    ...lines.map(row),
    '',
  ].join('\n');
}

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

/** How a page came up in Chromium: milliseconds of the first visit with nothing cached, then of the others. */
export interface PageLine {
  readonly id: string;
  readonly path: string;
  /** First contentful paint. */
  readonly paint: readonly number[];
  /** Until nothing was loading any more. */
  readonly shown: readonly number[];
  readonly complaints: readonly string[];
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
  readonly pages: readonly PageLine[];
}

/** The page of bench/results/console.md. */
export function consolePage({
  command,
  date,
  machine,
  load,
  decisions,
  lines,
  pages,
}: ConsoleReport): string {
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
    `In headless Chromium on the same machine, signed in, every page on its own: milliseconds since it was asked for until the browser painted something (first contentful paint) and until nothing on it was loading any more; the first visit with an empty cache, then the median and the worst of ${(pages[0]?.paint.length ?? 1) - 1}. Errors on the browser's console and questions to anywhere else: ${pages.flatMap(({ complaints }) => complaints).length}.`,
    '',
    '| page | first paint, first visit | later | worst | shown, first visit | later | worst |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...pages.map(({ id, paint, shown }) => `| ${id} | ${visits(paint)} | ${visits(shown)} |`),
    '',
  ].join('\n');
}

/** The first, and median and worst of the others. */
function visits([first = 0, ...others]: readonly number[]): string {
  const sorted = others.toSorted((a, b) => a - b);
  return [first, sorted[sorted.length >> 1] ?? first, sorted.at(-1) ?? first]
    .map((value) => value.toFixed(0))
    .join(' | ');
}

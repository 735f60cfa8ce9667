import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison, SideFigures, Timed } from './harness.ts';
import type { Load } from './load.ts';
import type { Machine } from './machine.ts';

/** One benchmark case: what was timed and what came out. */
export interface Row {
  /** For example `resnet18 input gradient, batch 64`. */
  readonly name: string;
  readonly timed: Timed;
  /** What was compared before the times, in words, one entry a peer. */
  readonly agreement: readonly string[];
  readonly ours: SideFigures;
  readonly comparisons: readonly Comparison[];
}

/** A suite's whole result. */
export interface Report {
  readonly schema: 'glacis.benchmark/1';
  readonly suite: string;
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  /** Before the first round. */
  readonly load: Load;
  readonly threads: number;
  readonly rounds: number;
  readonly rows: readonly Row[];
  /** Cases that failed, and how. */
  readonly failed?: readonly string[];
}

/** Writes `SUITE-DATE.json` and `SUITE-DATE.md` into `folder`; gives the paths without their endings. */
export function writeReport(folder: string, report: Report): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${report.suite}-${report.date.replace(/[:.]/g, '').slice(0, 15)}`);
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(`${path}.md`, toMarkdown(report));
  return path;
}

/** The report as a page for people: one table line a side, what did not count named below. */
export function toMarkdown(report: Report): string {
  const { machine, load } = report;
  const lines = [
    `# ${report.suite}, ${report.date.slice(0, 10)}`,
    '',
    `- command: \`${report.command}\``,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${machine.vector.join(' ')}, ${gib(machine.memoryBytes)}, ${machine.system}`,
    `- ${report.threads} threads on every side; ${report.rounds} rounds, sides in turn; a ratio is the median of the rounds' ratios`,
    `- before: ${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
    '',
    '| what | side | wall ms | CPU ms | threads used | peak memory | ours faster by (rounds) | its memory over ours | counts |',
    '|---|---|---:|---:|---:|---:|---|---:|---|',
    ...report.rows.flatMap((row) => tableLines(row, report.rounds)),
    '',
    '## Outputs, compared before the times',
    ...report.rows.flatMap((row) => row.agreement.map((text) => `- ${row.name}: ${text}`)),
    '',
    '## What ran',
    ...versionLines(report.rows),
  ];
  const objections = report.rows.flatMap((row) => {
    const reasons = new Set(row.comparisons.flatMap(({ invalid }) => invalid));
    return [...reasons].map((reason) => `- ${row.name}: ${reason}`);
  });
  if (report.failed) lines.push('', '## What failed', ...report.failed.map((text) => `- ${text}`));
  if (objections.length > 0) lines.push('', '## What does not count, and why', ...objections);
  return `${lines.join('\n')}\n`;
}

function tableLines(row: Row, all: number): string[] {
  const what = `${row.name}${row.timed === 'program' ? ', whole program' : ''}`;
  return [
    `| ${what} | ${figures(row.ours)} | | | |`,
    ...row.comparisons.map(({ peer, ratio, range, memoryRatio, invalid, wanted }) => {
      const { length } = peer.runs;
      const rounds =
        length === all ? range.map((value) => value.toFixed(2)).join('–') : `${length} of ${all}`;
      const aim =
        wanted === undefined ? '' : `; ${wanted}× wanted: ${ratio >= wanted ? 'reached' : 'missed'}`;
      return `| | ${figures(peer)} | ${ratio.toFixed(2)}× (${rounds}) | ${memoryRatio.toFixed(2)}× | ${invalid.length === 0 ? 'yes' : 'no'}${aim} |`;
    }),
  ];
}

function figures(side: SideFigures): string {
  const ms = (seconds: number) => (seconds * 1000).toFixed(seconds < 0.1 ? 2 : 0);
  return `${side.name} | ${ms(side.wall)} | ${ms(side.cpu)} | ${side.threadsUsed.toFixed(2)} | ${gib(side.peakRssBytes)}`;
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function versionLines(rows: readonly Row[]): string[] {
  const sides = rows.flatMap((row) => [row.ours, ...row.comparisons.map(({ peer }) => peer)]);
  const lines = sides.map(
    ({ name, environment: { event, ...rest } }) => `- ${name}: \`${JSON.stringify(rest)}\``,
  );
  return [...new Set(lines)];
}

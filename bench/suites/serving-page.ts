import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../median.ts';
import type { GatewayReport } from './gateway-page.ts';
import type { PacedRow, ServingRow, ServingRows } from './serving.ts';

/** What was measured, and how. */
export type ServingReport = Omit<GatewayReport, 'rows'> & ServingRows;

/** Writes `serving-DATE.json` and `serving-DATE.md`; gives the path without ending and the page. */
export function writeServingReport(
  folder: string,
  report: ServingReport,
): { readonly path: string; readonly page: string } {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `serving-${report.date.replace(/[:.]/g, '').slice(0, 15)}`);
  const page = pageOf(report);
  writeFileSync(
    `${path}.json`,
    `${JSON.stringify({ schema: 'glacis.serving-benchmark/1', ...report }, null, 1)}\n`,
  );
  writeFileSync(`${path}.md`, page);
  return { path, page };
}

function pageOf({ command, date, machine, load, rounds, rows, paced }: ServingReport): string {
  return [
    `# serving, ${date.slice(0, 10)}`,
    '',
    `- command: \`${command}\``,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}`,
    `- ${rounds} rounds in turn; load by wrk on the same machine, over loopback`,
    `- before: ${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
    '- ours: key, rights, rate, budget, input guard, shaped answers, signed log flushed before each answer, and what the row names; bare: the same REST face and runtime, nothing between',
    '',
    '| load | against | ours requests/s | theirs | ratio | wanted | p50 ms ours / theirs | p99 ms | CPU ms a request |',
    '|---|---|---:|---:|---:|---|---:|---:|---:|',
    ...rows.map(lineOf),
    '',
    ...(paced.length === 0
      ? []
      : [
          'At 60 % of what the guarded gateway can do, requests sent at fixed times whatever comes back (latency from when each would have left):',
          '',
          '| load | requests/s | p50 ms bare / guarded | p99 ms bare / guarded | added (wanted below 1 and 5) |',
          '|---|---:|---:|---:|---:|',
          ...paced.map(pacedLineOf),
          '',
        ]),
  ].join('\n');
}

function lineOf({ what, against, ratio, wanted, ours, theirs }: ServingRow): string {
  const of = (side: typeof ours, key: 'requestsPerSecond' | 'p50' | 'p99') =>
    median(side.loads.map((each) => each[key]));
  const both = (key: 'p50' | 'p99') => `${of(ours, key).toFixed(2)} / ${of(theirs, key).toFixed(2)}`;
  const cells = [
    what,
    against,
    of(ours, 'requestsPerSecond').toFixed(0),
    of(theirs, 'requestsPerSecond').toFixed(0),
    `${ratio.toFixed(2)}×`,
    `${wanted.toFixed(2)}×: ${ratio >= wanted ? 'reached' : 'missed'}`,
    both('p50'),
    both('p99'),
    `${ours.cpu.toFixed(2)} / ${theirs.cpu.toFixed(2)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function pacedLineOf({ what, perSecond, bare, full }: PacedRow): string {
  const pair = (key: 'p50' | 'p99') => `${bare[key].toFixed(2)} / ${full[key].toFixed(2)}`;
  const added = `${(full.p50 - bare.p50).toFixed(2)} and ${(full.p99 - bare.p99).toFixed(2)}`;
  return `| ${[what, perSecond.toFixed(0), pair('p50'), pair('p99'), added].join(' | ')} |`;
}

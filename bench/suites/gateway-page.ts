import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import type { Machine } from '../machine.ts';
import { median } from '../median.ts';
import type { GatewayRow } from './gateway.ts';
import type { Verdicts } from './load-guards.ts';

/** What was measured, and how. */
export interface GatewayReport {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  /** Before the first round. */
  readonly load: Load;
  readonly rounds: number;
  readonly rows: readonly GatewayRow[];
}

/** Writes `gateway-DATE.json` and `gateway-DATE.md`; gives the path without ending and the page. */
export function writeGatewayReport(
  folder: string,
  report: GatewayReport,
): { readonly path: string; readonly page: string } {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `gateway-${report.date.replace(/[:.]/g, '').slice(0, 15)}`);
  const page = pageOf(report);
  writeFileSync(
    `${path}.json`,
    `${JSON.stringify({ schema: 'glacis.gateway-benchmark/1', ...report }, null, 1)}\n`,
  );
  writeFileSync(`${path}.md`, page);
  return { path, page };
}

function pageOf({ command, date, machine, load, rounds, rows }: GatewayReport): string {
  const line = ({ network, format, clients, guards, wanted, share, bare, full, verdicts }: GatewayRow) => {
    const of = (mode: typeof bare, key: 'requestsPerSecond' | 'p50' | 'p99') =>
      median(mode.loads.map((each) => each[key]));
    const both = (key: 'p50' | 'p99') => `${of(bare, key).toFixed(2)} / ${of(full, key).toFixed(2)}`;
    const cells = [
      network,
      format,
      clients,
      guards,
      of(bare, 'requestsPerSecond').toFixed(0),
      of(full, 'requestsPerSecond').toFixed(0),
      `${(100 * share).toFixed(1)} %`,
      `${(100 * wanted).toFixed(0)} %: ${share >= wanted ? 'reached' : 'missed'}`,
      both('p50'),
      both('p99'),
      `${bare.cpu.toFixed(2)} / ${full.cpu.toFixed(2)}`,
      alarmsIn(verdicts),
    ];
    return `| ${cells.join(' | ')} |`;
  };
  return [
    `# gateway, ${date.slice(0, 10)}`,
    '',
    `- command: \`${command}\``,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}`,
    `- ${rounds} rounds in turn; load by wrk (gRPC: by a Node client of its own, which costs about as much as the server) on the same machine, over loopback`,
    `- before: ${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
    '- bare: the same faces and runtime, nothing between; full: key, rights, rates, budget, shaped answers, signed log flushed before each answer, and guards: `plain` is `input` alone, `calibrated` every guard that needs no further pass of the model',
    '- alarms: requests that a guard did not let pass unmarked, of those of one round with its warming up',
    '',
    '| model | bodies | clients | guards | bare requests/s | full requests/s | kept | wanted | p50 ms bare / full | p99 ms | server CPU ms a request | alarms |',
    '|---|---|---:|---|---:|---:|---:|---|---:|---:|---:|---|',
    ...rows.map(line),
    '',
  ].join('\n');
}

function alarmsIn(verdicts: Verdicts): string {
  const rates = Object.entries(verdicts).flatMap(([guard, said]) => {
    const all = Object.values(said).reduce((sum, n) => sum + n, 0);
    const alarms = all - (said.pass ?? 0);
    return alarms === 0 ? [] : [`${guard} ${((100 * alarms) / all).toFixed(2)} %`];
  });
  return rates.join(', ') || 'none';
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load.ts';
import type { Machine } from '../machine.ts';
import { median } from '../median.ts';
import type { GatewayRow } from './gateway.ts';

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
  const line = ({ network, format, clients, wanted, share, bare, full }: GatewayRow) => {
    const of = (mode: typeof bare, key: 'requestsPerSecond' | 'p50' | 'p99') =>
      median(mode.loads.map((each) => each[key]));
    const both = (key: 'p50' | 'p99') => `${of(bare, key).toFixed(2)} / ${of(full, key).toFixed(2)}`;
    const cells = [
      network,
      format,
      clients,
      of(bare, 'requestsPerSecond').toFixed(0),
      of(full, 'requestsPerSecond').toFixed(0),
      `${(100 * share).toFixed(1)} %`,
      `${(100 * wanted).toFixed(0)} %: ${share >= wanted ? 'reached' : 'missed'}`,
      both('p50'),
      both('p99'),
      `${bare.cpu.toFixed(2)} / ${full.cpu.toFixed(2)}`,
    ];
    return `| ${cells.join(' | ')} |`;
  };
  return [
    `# gateway, ${date.slice(0, 10)}`,
    '',
    `- command: \`${command}\``,
    `- machine: ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}`,
    `- ${rounds} rounds in turn; load by wrk on the same machine, over loopback`,
    `- before: ${load.busyCores.toFixed(2)} cores busy, load average ${load.average.map((value) => value.toFixed(2)).join(' ')}`,
    '- bare: the same REST face and runtime, nothing between; full: key, rights, rates, budget, input guard, shaped answers, signed log flushed before each answer',
    '',
    '| model | bodies | clients | bare requests/s | full requests/s | kept | wanted | p50 ms bare / full | p99 ms | server CPU ms a request |',
    '|---|---|---:|---:|---:|---:|---|---:|---:|---:|',
    ...rows.map(line),
    '',
  ].join('\n');
}

import { clopperPearson } from '../../src/core/statistics/clopper-pearson.ts';
import type { SideEvent } from '../side.ts';

/** Tables of what guards find, one network after the other; intervals are exact, at 95 %. */
export function guardPage(networks: Readonly<Record<string, readonly SideEvent[]>>): string {
  return Object.entries(networks)
    .map(
      ([network, lines]) =>
        `### ${network}\n\n${calmTable(lines)}\n\n${foundTable(lines)}\n\n${evadedTable(lines)}\n`,
    )
    .join('\n');
}

function calmTable(lines: readonly SideEvent[]): string {
  const rows = of(lines, 'guard').map((line) => {
    const alarms = line.alarms as readonly (number | null)[];
    const cells = alarms.map((k) => share(k, Number(line.n)));
    const cost = [line.microseconds1, line.microseconds64].map((us) => Number(us).toPrecision(2)).map(Number);
    return `| ${line.guard} | ${cells.join(' | ')} | ${cost.join(' | ')} |`;
  });
  return [
    '| guard | false alarms at 0.1 % | at 1 % | µs a sample, one | of 64 |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

function foundTable(lines: readonly SideEvent[]): string {
  const found = of(lines, 'found');
  const guards = [...new Set(found.map(({ guard }) => String(guard)))];
  const names = [...new Set(found.map(({ name }) => String(name)))];
  const rows = names.map((name) => {
    const own = found.filter((line) => line.name === name);
    const cells = guards.map((guard) => {
      const line = own.find((each) => each.guard === guard)!;
      const [strict, mild] = line.alarms as readonly (number | null)[];
      return `${share(strict!, Number(line.n))} · ${share(mild!, Number(line.n))}`;
    });
    return `| ${name} | ${own[0]!.n} | ${cells.join(' | ')} |`;
  });
  return [
    `| found at 0.1 % · at 1 % of | n | ${guards.join(' | ')} |`,
    `|---|---:|${guards.map(() => '---:|').join('')}`,
    ...rows,
  ].join('\n');
}

function evadedTable(lines: readonly SideEvent[]): string {
  const rows = of(lines, 'evaded').map((line) => {
    const n = Number(line.n);
    const cells = (line.unnoticed as readonly (number | null)[]).map((k) => share(k, n));
    return `| ${line.guard} | ${n} | ${short(Number(line.fooled), n)} | ${cells.join(' | ')} |`;
  });
  return [
    '| known guard | attacked | fool the network | and unnoticed at 0.1 % | at 1 % |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

const of = (lines: readonly SideEvent[], event: string): readonly SideEvent[] =>
  lines.filter((line) => line.event === event);

/** A share in per cent, with its interval. */
function share(k: number | null, n: number): string {
  if (k === null) return '–';
  const [low, high] = clopperPearson(k, n).map((end) => (100 * end).toFixed(1));
  return `${short(k, n)} (${low}–${high})`;
}

const short = (k: number | null, n: number): string => (k === null ? '–' : ((100 * k) / n).toFixed(1));

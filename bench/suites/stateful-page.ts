import type { SideEvent } from '../side.ts';

interface Rate {
  readonly rate: number;
  readonly caught: number;
  readonly interval: readonly [number, number];
  readonly median: number | null;
  readonly won: number;
}

interface Found {
  readonly guard: string;
  readonly rates: readonly Rate[];
}

const GUARDS = ['near-duplicates', 'near-duplicates, undeclared cameras', 'similar-queries', 'query-shift'];

/** The tables of bench/results/stateful-guards.md. */
export function statefulPage(lines: readonly SideEvent[]): string {
  const of = (event: string) => lines.filter((line) => line.event === event);
  return `${[
    ...calm(of('calm')),
    ...attacks('Attacks on single samples', of('evasion')),
    ...attacks('Copying the model', of('theft')),
    ...baseline(of('theft'), of('prada')),
    ...pradaGuard(of('prada-guard')),
  ].join('\n')}\n`;
}

function calm(lines: readonly SideEvent[]): readonly string[] {
  return [
    'Calm clients that ever raised an alarm (95 % intervals), and the cost of a judgement on this machine, busy as it was:',
    '',
    '| guard | calm clients | at 0.1 % | at 1 % | µs a query |',
    '|---|---:|---:|---:|---:|',
    ...lines.map(({ guard, clients, alarms, intervals, microseconds }) => {
      const cell = (r: number) => {
        const [low, high] = (intervals as readonly (readonly [number, number])[])[r]!;
        return `${percent((alarms as readonly number[])[r]! / Number(clients))} (${percent(low)}–${percent(high)})`;
      };
      return `| ${guard} | ${clients} | ${cell(0)} | ${cell(1)} | ${microseconds === undefined ? '' : Number(microseconds).toFixed(0)} |`;
    }),
  ];
}

function attacks(title: string, lines: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  const isTheft = lines[0]!.event === 'theft';
  return [
    '',
    `### ${title}`,
    'Runs caught at 0.1 % / 1 % false alarms, after @ the median of queries until then, and the 95 % interval of the share of runs that is caught (Clopper-Pearson; both at 1 %).' +
      (isTheft
        ? ''
        : ' *Free*: runs that reached their goal with nobody in the way, and the median of queries that took. *Won*: runs that reached it before any guard caught them (1 %).'),
    '',
    `| attack | what the attacker knows | runs | ${isTheft ? '' : 'free | won | '}${GUARDS.join(' | ')} |`,
    `|---|---|---:|${isTheft ? '' : '---:|---:|'}${GUARDS.map(() => '---:').join('|')}|`,
    ...lines.map((line) => {
      const found = line.guards as readonly Found[];
      const runs = Number(line.runs);
      const cells = GUARDS.map((name) => caughtCell(found.find(({ guard }) => guard === name)!.rates));
      const free = isTheft
        ? ''
        : `${line.succeeded}${line.needed === null ? '' : ` @${Math.round(Number(line.needed))}`} | ${line.won ?? Math.min(...found.filter(({ guard }) => !guard.includes('undeclared')).map(({ rates }) => rates[1]!.won))} | `;
      const norm = line.norm === undefined ? '' : ` (${line.norm})`;
      return `| ${line.name}${norm} | ${line.knows ?? ''} | ${runs} | ${free}${cells.join(' | ')} |`;
    }),
  ];
}

function baseline(thefts: readonly SideEvent[], calmLines: readonly SideEvent[]): readonly string[] {
  const rows = thefts.flatMap(({ name, prada }) =>
    prada === undefined ? [] : [[String(name), prada as readonly number[]] as const],
  );
  const clients = calmLines.flatMap(({ lowest }) =>
    (lowest as readonly { readonly kind: string; readonly lowest: readonly number[] }[]).map(
      ({ kind, lowest: values }) => [`calm: ${kind}`, values] as const,
    ),
  );
  if (rows.length === 0) return [];
  return [
    '',
    '### PRADA, as published',
    'The lowest W that it found in each run or client; below its threshold (0.90 to 0.96 in its paper) it calls an attack.',
    '',
    '| | lowest W, from the least |',
    '|---|---|',
    ...[...rows, ...clients].map(
      ([name, values]) =>
        `| ${name} | ${[...values]
          .sort((a, b) => a - b)
          .map((w) => w.toFixed(3))
          .join(', ')} |`,
    ),
  ];
}

function pradaGuard(lines: readonly SideEvent[]): readonly string[] {
  if (lines.length === 0) return [];
  return [
    '',
    '### PRADA as a guard',
    'Calibrated on calm clients of 1,000 queries, because it says nothing before the hundredth distance; shown the attacks of above as they are. Runs caught at 0.1 % / 1 % false alarms, after @ the median of queries until then, and the 95 % interval (both at 1 %). *Won*: runs that reached their goal before.',
    '',
    '| attack | runs | won | prada |',
    '|---|---:|---:|---:|',
    ...lines.map((line) => {
      const [{ rates }] = line.guards as readonly [Found];
      const norm = line.norm === undefined ? '' : ` (${line.norm})`;
      return `| ${line.name}${norm} | ${line.runs} | ${line.norm === undefined ? '' : rates[1]!.won} | ${caughtCell(rates)} |`;
    }),
  ];
}

/** Runs caught at both rates, when, and the interval. */
function caughtCell([strict, usual]: readonly Rate[]): string {
  const after = usual!.median === null ? '' : ` @${Math.round(usual!.median)}`;
  return `${strict!.caught} / ${usual!.caught}${after} (${whole(usual!.interval)})`;
}

const whole = ([low, high]: readonly [number, number]): string =>
  `${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`;
const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;

import type { BenchOptions } from '../options.ts';
import type { SideEvent } from '../side.ts';
import { resumedLines } from './resumed-lines.ts';

/**
 * How good a copy of the MNIST network becomes by asking it, against the number of queries, under each way to answer (`answers`: bench/results/steal.json and .md) and through a whole
 * gateway (`gateway`: steal-gateway.json and .md). Resumed where it was stopped. Errors: `run/failed`.
 */
export async function stealSuite(
  { mode }: Pick<BenchOptions, 'mode'>,
  progress: (text: string) => void,
): Promise<void> {
  if (mode !== 'gateway') await resumedLines('steal', 'steal.ts', stealPage, progress);
  if (mode !== 'answers') await resumedLines('steal-gateway', 'steal-gateway.ts', stealGatewayPage, progress);
}

const POOLS = {
  digits: 'digits that the owner did not train on, and copies of them turned and shifted',
  natural: 'natural pictures (CIFAR-10, grey), and copies of them',
} as const;

/** The tables of the page. */
export function stealPage(lines: readonly SideEvent[]): string {
  const victim = lines.find(({ event }) => event === 'victim');
  const copies = lines.filter(({ event }) => event === 'copy');
  const budgets = [...new Set(copies.map(({ queries }) => Number(queries)))].sort((a, b) => a - b);
  const tables = Object.entries(POOLS).flatMap(([pool, words]) => {
    const here = copies.filter((copy) => copy.pool === pool);
    const answers = [...new Set(here.map((copy) => String(copy.answers)))];
    if (here.length === 0) return [];
    return [
      '',
      `Asked about ${words}; fidelity (accuracy of the copy), per cent:`,
      '',
      `| answers | ${budgets.map((n) => n.toLocaleString('en')).join(' | ')} |`,
      `|---|${budgets.map(() => '---:').join('|')}|`,
      ...answers.map((answer) => {
        const cells = budgets.map((n) => {
          const copy = here.find((each) => each.answers === answer && each.queries === n);
          return copy ? `${percent(copy.fidelity)} (${percent(copy.accuracy)})` : '';
        });
        return `| ${answer} | ${cells.join(' | ')} |`;
      }),
    ];
  });
  return `${[
    `Copies of mnist-cnn by Knockoff queries: a smaller network (16 and 32 channels), trained by \`npm run bench -- steal\`. Fidelity is the share of ${victim?.compared ?? '?'} digits that neither the owner trained on nor the thief asked about on which copy and victim agree; the victim itself is right on ${percent(victim?.accuracy)} %.`,
    ...tables,
  ].join('\n')}\n`;
}

const percent = (share: unknown): string => (100 * Number(share)).toFixed(1);

/** The table of copies that were made through a gateway. */
export function stealGatewayPage(lines: readonly SideEvent[]): string {
  const victim = lines.find(({ event }) => event === 'victim');
  const rows = lines.filter(({ event }) => event === 'copy');
  const whole = (n: unknown) => Number(n).toLocaleString('en');
  const cells = (row: SideEvent) => {
    const [low, high] = (row.interval as readonly [number, number] | undefined) ?? [];
    const fidelity =
      low === undefined ? 'no copy' : `${percent(row.fidelity)} (${percent(low)}–${percent(high)})`;
    const told = ['answered', 'full', 'rounded', 'top1', 'label', 'refused'].map((kind) => whole(row[kind]));
    return [
      row.pool,
      row.guards,
      whole(row.tried),
      ...told,
      fidelity,
      row.accuracy === undefined ? '' : percent(row.accuracy),
    ];
  };
  return `${[
    `Copies of mnist-cnn by a thief with one key who asks a whole gateway in requests of 20 samples over REST, and goes on when he is refused; \`npm run bench -- steal --mode gateway\`. He asks as fast as he is answered (rates are off), so a hold of ten minutes outlasts him. \`off\`: no guards, budgets or automatic measures; \`default\`: \`glacis serve --calibration\` as it comes (budget of 50,000, its steps, guards, monitors, measures); \`told to refuse\`: the same with guards that watch clients told to refuse. Fidelity is the share of ${victim?.compared ?? '?'} digits on which copy and victim agree, in per cent with its 95 % interval.`,
    '',
    '| asked about | gateway | tried | answered | full | two decimals | top-1 | label | refused | fidelity | accuracy |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
  ].join('\n')}\n`;
}

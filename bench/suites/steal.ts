import type { SideEvent } from '../side.ts';
import { resumedLines } from './resumed-lines.ts';

/**
 * How good a copy of the MNIST network becomes by asking it, against the number of queries, under each way to answer: bench/results/steal.json and .md. Resumed where it was
 * stopped. Errors: `run/failed`.
 */
export async function stealSuite(progress: (text: string) => void): Promise<void> {
  await resumedLines('steal', 'steal.ts', stealPage, progress);
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

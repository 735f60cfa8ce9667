import type { TimingAnalysis } from '../../attack/timing/judge.ts';
import type { TimingResult } from '../../attack/timing/result.ts';
import { count } from '../format.ts';
import { oneLine, wrap } from '../lines.ts';
import { visible } from '../markup.ts';

/** Numbers that people compare, with the words before them. */
const ROWS: readonly (readonly [string, (analysis: TimingAnalysis) => string])[] = [
  ['median a, b', ({ a, b }) => `${ms(a.p50)}, ${ms(b.p50)}`],
  ['p99 a, b', ({ a, b }) => `${ms(a.p99)}, ${ms(b.p99)}`],
  ['difference of means', ({ difference }) => ms(difference)],
  ['largest |t| of 102', ({ strongest }) => `${Math.abs(strongest.t).toFixed(1)} (${strongest.of})`],
  ['answers that show it', ({ needed }) => (needed > 1e12 ? 'none do' : count(needed))],
  ['ranks, p', ({ ranks }) => `z = ${ranks.z.toFixed(1)}, ${probability(ranks.p)}`],
  ['time says', ({ information }) => said(information)],
  ['length says', ({ lengths }) => said(lengths)],
  ['status says', ({ statuses }) => said(statuses)],
  [
    "attacker's AUC",
    ({ guessing: { auc, interval } }) =>
      `${auc.toFixed(3)} (${interval[0].toFixed(3)}–${interval[1].toFixed(3)})`,
  ],
  ['right guesses', ({ guessing }) => `${(100 * guessing.accuracy).toFixed(1)} %`],
];

const VERDICTS: Readonly<Record<TimingAnalysis['verdict'], string>> = {
  leak: 'Leak: the answers tell the classes apart',
  'none seen': 'No leak seen',
  'too few': 'Nothing seen, in too few answers to say so',
};

/** A timing measurement for a terminal, beside an earlier one where there is one. Ends with a line feed. */
export function renderTimingText(
  result: TimingResult,
  { before, width = 96 }: { readonly before?: TimingResult | undefined; readonly width?: number } = {},
): string {
  const { analysis } = result;
  const columns = [...(before ? [before.analysis] : []), analysis];
  const cells = ROWS.map(([title, cell]) => [title, ...columns.map(cell)]);
  const table = before ? [['', 'before', 'now'], ...cells] : cells;
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const because = analysis.because.length > 0 ? `: ${analysis.because.join('; ')}` : '';
  return visible(
    `${[
      `${oneLine(result.url, 80)}: ${count(analysis.pairs)} pairs in ${result.seconds.toFixed(0)} s`,
      `a: ${oneLine(result.a, 80)}`,
      `b: ${oneLine(result.b, 80)}${result.urlB === undefined ? '' : ` at ${oneLine(result.urlB, 80)}`}`,
      '',
      ...table.map((row) =>
        row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd(),
      ),
      '',
      ...wrap(`${VERDICTS[analysis.verdict]}${because}.`, width),
      ...result.notes.flatMap((note) => wrap(`Note: ${note}.`, width, '      ')),
    ].join('\n')}\n`,
  );
}

function ms(milliseconds: number): string {
  return `${milliseconds.toFixed(3)} ms`;
}

function probability(p: number): string {
  return p < 1e-4 ? 'below 0.0001' : p.toFixed(4);
}

function said({ bits, p }: { readonly bits: number; readonly p: number }): string {
  return `${bits.toFixed(4)} bits of 1 (p ${probability(p)})`;
}

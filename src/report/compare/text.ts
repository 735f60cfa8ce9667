import type { Comparison, ComparisonRow } from '../../assess/compare/comparison.ts';
import { count, percent } from '../format.ts';
import { oneLine, wrap } from '../lines.ts';
import { visible } from '../markup.ts';
import {
  budgetName,
  budgetRows,
  headlineOf,
  points,
  pointsBetween,
  pValue,
  sentenceOf,
  VERDICT_WORDS,
} from './words.ts';

/**
 * A comparison for a terminal: the models, the headline, a table for each model beside the first, a sentence for each
 * budget, and what to read with care. Plain text without colour codes; ends with a line feed.
 */
export function renderComparisonText(
  comparison: Comparison,
  { width = 96 }: { readonly width?: number } = {},
): string {
  const { models, paired, rows, notes } = comparison;
  const named = models.map(({ label, name, digest, file, status }) => [
    `${label}  ${oneLine(name, 40)}`,
    oneLine(digest, 19),
    `${oneLine(file, 60)}${status === 'partial' ? ' (not finished)' : ''}`,
  ]);
  const wide = Math.max(...named.map(([name]) => name!.length));
  const lines = [
    ...named.map(([name, digest, file]) => `${name!.padEnd(wide)}  ${digest}  ${file}`),
    '',
    ...wrap(headlineOf(comparison), width),
    '',
    ...models.slice(1).flatMap((_, j) => [...table(comparison, j), '']),
    ...models
      .slice(1)
      .flatMap((_, j) =>
        budgetRows(comparison).flatMap((row) =>
          wrap(sentenceOf(comparison, row, row.contrasts[j]!), width, '  '),
        ),
      ),
    '',
    ...notes.flatMap((note) => wrap(`Note: ${note}`, width, '      ')),
    ...wrap(
      `p: ${paired ? "McNemar's exact test on the answers that differ" : "Fisher's exact test, samples taken as unrelated"}, corrected after Holm for the ${rows.length * (models.length - 1)} tests shown; intervals are not corrected. "Not shown" is not "equal".`,
      width,
    ),
  ];
  return visible(`${lines.join('\n')}\n`.replaceAll('\u00a0', ' '));
}

/** The rows of the `j`-th model after the first. */
function table({ models, rows, paired }: Comparison, j: number): readonly string[] {
  const [first, later] = [models[0]!.label, models[j + 1]!.label];
  const head = [
    `${later} beside ${first}`,
    'budget',
    'n',
    first,
    later,
    'points',
    '95 % confidence',
    ...(paired ? [`only ${first}`, `only ${later}`] : []),
    'p',
    'verdict',
  ];
  const cells = rows.map((row) => {
    const [a, b] = [row.rates[0]!, row.rates[j + 1]!];
    const contrast = row.contrasts[j]!;
    return [
      title(row),
      budgetName(row),
      a.n === b.n ? count(a.n) : `${count(a.n)}, ${count(b.n)}`,
      percent(a.accuracy),
      percent(b.accuracy),
      points(contrast.difference),
      pointsBetween(contrast.interval),
      ...(paired ? [count(contrast.pairs?.onlyFirst ?? 0), count(contrast.pairs?.onlySecond ?? 0)] : []),
      pValue(contrast.corrected),
      VERDICT_WORDS[contrast.verdict],
    ];
  });
  const widths = head.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]!.length)));
  const left = new Set([0, 1, head.length - 1]);
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (left.has(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((w) => '─'.repeat(w)).join('  '), ...cells.map(line)];
}

function title({ kind, attacks }: ComparisonRow): string {
  if (kind === 'attack') return oneLine(attacks[0] ?? '', 28);
  return kind === 'clean' ? 'no attack' : 'worst case';
}

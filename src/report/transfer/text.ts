import type { FoolRate, Transfer } from '../../assess/transfer/result.ts';
import { findingLines } from '../findings-text.ts';
import { count, interval, NORM_NAMES, optionList, percent, radius } from '../format.ts';
import { oneLine, wrap } from '../lines.ts';
import { visible } from '../markup.ts';
import { headlineOf } from './words.ts';

/**
 * A transfer matrix for a terminal: the models, the headline, the matrix with an interval under each figure, the findings and notes.
 * Plain text without colour codes; ends with a line feed.
 */
export function renderTransferText(
  transfer: Transfer,
  { width = 96 }: { readonly width?: number } = {},
): string {
  const { models, attack, norm, eps, status, statusReason, notes } = transfer;
  const wide = Math.max(...models.map(({ name }) => oneLine(name, 40).length));
  const lines = [
    ...models.map(({ label, name, digest, access, n, right }) =>
      [
        `${label}  ${oneLine(name, 40).padEnd(wide)}`,
        oneLine(digest, 19),
        `right on ${count(right)} of ${count(n)}`,
        ...(access === 'endpoint' ? ['answers only'] : []),
      ].join('  '),
    ),
    '',
    ...(status === 'partial'
      ? [...wrap(`Not finished: ${statusReason ?? 'stopped before all examples were made'}`, width), '']
      : []),
    ...wrap(headlineOf(transfer), width),
    ...wrap(
      `${oneLine(attack.id, 40)}(${oneLine(optionList(attack.options), 200)}), ${NORM_NAMES[norm]} ${radius(eps)}: examples that fool the model, of the samples that both models get right; below, 95 % confidence.`,
      width,
    ),
    '',
    ...matrix(transfer),
    ...findingLines(transfer.findings, width),
    ...notes.flatMap((note) => wrap(`Note: ${note}`, width, '      ')),
  ];
  return visible(`${lines.join('\n')}\n`.replaceAll('\u00a0', ' '));
}

/** A row for each model that examples were made on, two lines a row. */
function matrix({ models, rows, noise }: Transfer): readonly string[] {
  if (rows.length === 0) return [];
  const head = ['made on', ...models.map(({ label }) => `on ${label}`)];
  const pair = (title: string, cells: readonly FoolRate[], own?: number) => [
    [title, ...cells.map(({ rate }, i) => (i === own ? `(${share(rate)})` : share(rate)))],
    ['', ...cells.map(({ rate, confidence }) => (rate === null ? '' : interval(confidence)))],
  ];
  const body = [
    ...rows.flatMap(({ model, cells }) => pair(models[model]!.label, cells, model)),
    ...(noise ? pair('at random', noise) : []),
  ];
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((each, i) => (i === 0 ? each.padEnd(widths[i]!) : each.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [
    line(head),
    widths.map((w) => '─'.repeat(w)).join('  '),
    ...body.map(line),
    'In parentheses: the attack on the model that it was made on.',
    '',
  ];
}

function share(rate: number | null): string {
  return rate === null ? '–' : percent(rate);
}

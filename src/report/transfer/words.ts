import type { Transfer, TransferCell } from '../../assess/transfer/result.ts';
import { budgetInWords, percent } from '../format.ts';

/** One cell off the diagonal, with its place. */
export interface Crossing {
  /** Places of the models. */
  readonly row: number;
  readonly column: number;
  readonly cell: TransferCell;
}

/** Every cell of two different models, what does most beyond a change at random first; those without samples are left out. */
export function crossings({ rows }: Pick<Transfer, 'rows'>): readonly Crossing[] {
  const beyond = ({ cell: { n, fooled, fooledAtRandom = 0 } }: Crossing) => (fooled - fooledAtRandom) / n;
  return rows
    .flatMap(({ model: row, cells }) => cells.map((cell, column) => ({ row, column, cell })))
    .filter(({ row, column, cell }) => row !== column && cell.n > 0)
    .sort((a, b) => beyond(b) - beyond(a));
}

/** Whether examples are found to do more than a change at random. */
export function isTransfer({ findings }: Pick<Transfer, 'findings'>): boolean {
  return findings.some(({ id }) => id === 'evasion/transferable-examples');
}

/** The sentence to remember. */
export function headlineOf(transfer: Transfer): string {
  const [most] = crossings(transfer);
  if (!most) return 'No example was tried on another model.';
  const { row, column, cell } = most;
  const [from, to] = [transfer.models[row]!.label, transfer.models[column]!.label];
  const { n, fooled, fooledAtRandom } = cell;
  if (fooled === 0) return 'No example made on one model fools another.';
  const chance =
    fooledAtRandom === undefined ? '' : `, a change at random of that size ${percent(fooledAtRandom / n)}`;
  const figure = `fool ${to} ${percent(fooled / n)} of the time${chance}`;
  return isTransfer(transfer)
    ? `Examples made on ${from} ${figure}.`
    : `Examples made on one model are not shown to do more to another than chance: those made on ${from} ${figure}.`;
}

/** What was done, in a sentence or two. */
export function methodOf({ attack, norm, eps }: Transfer): string {
  return `Each row's examples were made by ${attack.id} with that model's own gradients or answers; ${budgetInWords(norm, eps)}. The attack goes through all its steps and does not stop where its own model falls, because stronger examples transfer better. A figure counts only samples that both models get right without an attack.`;
}

import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import type { FoolRate, TransferCell, TransferRow } from './result.ts';
import type { RowRecord, TransferRecord } from './run.ts';

/** The rows of a record that hold something. */
export function rowsOf(record: TransferRecord): readonly TransferRow[] {
  return record.rows
    .filter(({ done }) => done > 0)
    .map((row) => {
      const { model, done: n, queries, gradientQueries, seconds, refused } = row;
      const cells = row.fooled.map((_, column) => cellOf(record, row, column));
      return { model, n, queries, gradientQueries, seconds, refused, cells };
    });
}

/** What a change at random did to each model. */
export function noiseOf({ right, noise, cleanDone }: TransferRecord): readonly FoolRate[] | undefined {
  return noise?.map((fooled, model) => {
    const n = right[model]!.subarray(0, cleanDone).reduce((sum, one) => sum + one, 0);
    return rateOf(
      fooled.subarray(0, cleanDone).reduce((sum, one) => sum + one, 0),
      n,
    );
  });
}

function cellOf({ right, noise }: TransferRecord, row: RowRecord, column: number): TransferCell {
  let [n, fooled, fooledOwn, fooledBoth, fooledAtRandom] = [0, 0, 0, 0, 0];
  const chance = noise?.[column];
  for (let i = 0; i < row.done; i++) {
    if (!right[row.model]![i] || !right[column]![i]) continue;
    const [own, other] = [row.fooled[row.model]![i]!, row.fooled[column]![i]!];
    n++;
    fooled += other;
    fooledOwn += own;
    fooledBoth += own && other;
    fooledAtRandom += chance?.[i] ?? 0;
  }
  return { ...rateOf(fooled, n), fooledOwn, fooledBoth, ...(noise && { fooledAtRandom }) };
}

function rateOf(fooled: number, n: number): FoolRate {
  return { n, fooled, rate: n > 0 ? fooled / n : null, confidence: clopperPearson(fooled, n) };
}

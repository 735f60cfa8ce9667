import { holm } from '../../core/statistics/holm.ts';
import { type Column, learnColumn, percent, testColumn } from './column.ts';
import type { Rows } from './rows.ts';
import { type Fault, MOST_PARTS, scoreOf, type Verdict, type WindowTest } from './window-test.ts';

/** A column is a fault where so many rows are not numbers, and usually hardly any are. */
const MOSTLY = 0.5;
const HARDLY = 0.05;

/** What a test of columns needs to know. */
export interface ColumnsSetting {
  readonly names: readonly string[];
  /** Values are names, such as classes. */
  readonly categories?: boolean | undefined;
}

/**
 * Tests each feature by itself and corrects for their number (Holm): the score is −log₁₀ of the smallest corrected p-value. Each feature counts twice, once for its values and once for
 * how often they are numbers at all. A feature that becomes NaN, stops varying or begins to vary is a fault of its own, whatever the threshold.
 */
export function columnsTest(calm: Rows, { names, categories }: ColumnsSetting): WindowTest {
  const columns: readonly Column[] = names.map((name, i) => learnColumn(calm, i, name, categories));
  return { test: (rows) => testColumns(columns, rows) };
}

function testColumns(columns: readonly Column[], rows: Rows): Verdict {
  const findings = columns.map((column, i) => testColumn(column, rows, i));
  const corrected = holm(findings.flatMap(({ p, brokenP }) => [p, brokenP]));
  const least = findings.map((_, i) => Math.min(1, corrected[2 * i]!, corrected[2 * i + 1]!));
  const order = findings
    .map((_, i) => i)
    .sort((a, b) => least[a]! - least[b]! || findings[b]!.part.score - findings[a]!.part.score);
  const score = order.length === 0 ? 0 : scoreOf(least[order[0]!]!);
  const told = order.filter((i, rank) => rank === 0 || least[i]! < 0.01);
  const faults: Fault[] = [];
  for (const [i, { broken, froze, words, brokenP }] of findings.entries()) {
    const column = columns[i]!;
    const value = (row: number) => rows.values[row * rows.width + i]!;
    if (rows.n >= 30 && broken >= MOSTLY * rows.n && column.broken <= HARDLY * column.n && brokenP < 1e-9)
      faults.push({
        subject: `${column.name} is not a number`,
        title: `${column.name} is not a number any more`,
        why: `${words()}.`,
        shows: (row) => !Number.isFinite(value(row)),
      });
    else if (froze)
      faults.push({
        subject: `${column.name} stopped varying`,
        title: `${column.name} stopped varying`,
        why: `All ${rows.n - broken} values of ${column.name} are equal; the most frequent value usually comes in ${percent(column.commonest)} of rows.`,
        shows: () => true,
      });
    else if (column.type === 'constant' && corrected[2 * i]! < 1e-9)
      faults.push({
        subject: `${column.name} began to vary`,
        title: `${column.name} began to vary`,
        why: `${column.name} was ${column.values[0]} in all of ${column.n} calm rows, and now it is not.`,
        shows: (row) => value(row) !== column.values[0],
      });
  }
  const strangest = order[0];
  const each = (other: Rows, which: 'excess' | 'degree'): Float64Array =>
    strangest === undefined
      ? new Float64Array(other.n)
      : Float64Array.from({ length: other.n }, (_, i) =>
          findings[strangest]![which](other.values[i * other.width + strangest]!),
        );
  return {
    score,
    parts: order.slice(0, MOST_PARTS).map((i) => ({ ...findings[i]!.part, p: least[i]! })),
    what: told
      .slice(0, 4)
      .map((i) => columns[i]!.name)
      .join(', '),
    why: told
      .slice(0, 4)
      .map((i) => `${findings[i]!.words()}.`)
      .join(' '),
    figures: {
      features: told.slice(0, 32).map((i) => columns[i]!.name),
      p: told.slice(0, 32).map((i) => least[i]!),
    },
    excess: each(rows, 'excess'),
    speaks: (other) => each(other, 'degree'),
    faults,
  };
}

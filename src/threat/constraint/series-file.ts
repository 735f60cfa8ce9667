import { GlacisError } from '../../core/error.ts';
import type { Constraint } from '../constraint.ts';
import type { Candle } from './candles.ts';
import { readColumns } from './column-file.ts';
import { columnReader } from './column-names.ts';
import { list, number, object, optional, type Read, required, text, word } from './json.ts';
import { series } from './series.ts';
import type { SeriesColumn, SeriesSchema, Stale } from './series-schema.ts';

const KEYS = ['type', 'layout', 'names', 'columns', 'others', 'last', 'maxPoints', 'candles', 'stale'];

/**
 * Reads `{ "type": "series", … }` for samples of `shape`. The columns are those of `names` there, else as many as the shape has.
 * Errors: `option/invalid`, `option/unknown`, `data/mismatch` (the shape does not fit).
 */
export function readSeries(value: unknown, where: string, shape: readonly number[]): Constraint {
  const given = object(value, where, KEYS);
  const layout = optional(given, 'layout', where, word('time-first', 'columns-first')) ?? 'time-first';
  const names = optional(given, 'names', where, list(text));
  if (names && new Set(names).size !== names.length)
    throw new GlacisError('option/invalid', `${where}.names: expected each name once, got one twice`);
  const width = names?.length ?? widthOf(shape, layout);
  const column = columnReader(width, names);
  const schema: SeriesSchema = {
    layout,
    columns: readColumns<SeriesColumn>(given, where, width, column, names, {
      maxJump: number,
      maxReturn: number,
      meanColumn: column,
      stdColumn: column,
    }),
    last: optional(given, 'last', where, number),
    maxPoints: optional(given, 'maxPoints', where, number),
    candles: optional(given, 'candles', where, list(candle(column))),
    stale: optional(given, 'stale', where, stale(column)),
  };
  return series(schema, shape);
}

/** Columns of a sample: of its two axes the one that the layout says; 1 for a single axis. Axes of size 1 in front do not count. */
function widthOf(shape: readonly number[], layout: SeriesSchema['layout']): number {
  const axes = shape.slice(shape.findIndex((size) => size !== 1));
  if (axes.length < 2) return 1;
  return layout === 'time-first' ? axes.at(-1)! : axes[0]!;
}

function candle(column: Read<number>): Read<Candle> {
  return (value, where) => {
    const given = object(value, where, ['open', 'high', 'low', 'close']);
    const one = (key: string) => required(given, key, where, column);
    return { open: one('open'), high: one('high'), low: one('low'), close: one('close') };
  };
}

function stale(column: Read<number>): Read<Stale> {
  return (value, where) => {
    const given = object(value, where, ['maxDelay', 'feeds']);
    return {
      maxDelay: required(given, 'maxDelay', where, number),
      feeds: optional(given, 'feeds', where, list(list(column))),
    };
  };
}

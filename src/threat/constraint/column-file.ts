import { GlacisError } from '../../core/error.ts';
import type { Column } from './column.ts';
import { flag, list, number, object, optional, type Read, word } from './json.ts';

/** How each property of a column is read, beside which column it is. */
const PROPERTIES: { readonly [K in Exclude<keyof Column, 'name'>]-?: Read<NonNullable<Column[K]>> } = {
  min: number,
  max: number,
  positive: flag,
  step: number,
  immutable: flag,
  direction: word('up', 'down'),
  maxChange: number,
  maxRelativeChange: number,
  mean: number,
  std: number,
};

/** Which columns an entry describes. */
const WHICH = ['column', 'columns'];

/**
 * Reads a list of column descriptions, `{ "column": NAME, … }` or `{ "columns": [NAME, …], … }`, into one description for each of
 * `width` columns. Columns that no entry describes are as `others` is: free, or immutable. `more` holds further properties.
 * Errors: `option/invalid` (a column twice, an entry without one), `option/unknown`.
 */
export function readColumns<C extends Column>(
  given: Readonly<Record<string, unknown>>,
  where: string,
  width: number,
  column: Read<number>,
  names: readonly string[] | undefined,
  more: { readonly [K in Exclude<keyof C, keyof Column>]-?: Read<NonNullable<C[K]>> },
): C[] {
  const readers: Readonly<Record<string, Read<unknown>>> = { ...PROPERTIES, ...more };
  const entry: Read<{ readonly which: readonly number[]; readonly properties: object }> = (value, place) => {
    const from = object(value, place, [...WHICH, ...Object.keys(readers)]);
    const one = optional(from, 'column', place, column);
    const several = optional(from, 'columns', place, list(column));
    if ((one === undefined) === (several === undefined))
      throw new GlacisError(
        'option/invalid',
        `${place}: expected a key 'column' or 'columns', got ${one === undefined ? 'none' : 'both'}`,
      );
    const properties = Object.keys(readers).flatMap((key) => {
      const found = optional(from, key, place, readers[key]!);
      return found === undefined ? [] : [[key, found] as const];
    });
    return { which: several ?? [one!], properties: Object.fromEntries(properties) };
  };
  const others = optional(given, 'others', where, word('free', 'immutable')) ?? 'free';
  const described = new Array<object | undefined>(width).fill(undefined);
  for (const { which, properties } of optional(given, 'columns', where, list(entry)) ?? []) {
    for (const i of which) {
      if (described[i])
        throw new GlacisError(
          'option/invalid',
          `${where}.columns: expected each column once, got column ${names?.[i] ?? i} twice`,
        );
      described[i] = properties;
    }
  }
  const rest = others === 'immutable' ? { immutable: true } : {};
  return described.map((properties, i) => ({ name: names?.[i], ...(properties ?? rest) }) as C);
}

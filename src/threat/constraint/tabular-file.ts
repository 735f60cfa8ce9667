import type { Constraint } from '../constraint.ts';
import { readColumns } from './column-file.ts';
import { columnReader } from './column-names.ts';
import { entries, list, number, object, optional, type Read, required, word } from './json.ts';
import type { TableProduct } from './product.ts';
import type { TableColumn, TableRelation } from './table-schema.ts';
import { tabular } from './tabular.ts';

const KEYS = ['type', 'columns', 'others', 'oneHot', 'relations', 'products', 'maxCost'];

/** Reads `{ "type": "tabular", … }` for rows of `width` values. Errors: `option/invalid`, `option/unknown`. */
export function readTabular(
  value: unknown,
  where: string,
  width: number,
  names: readonly string[] | undefined,
): Constraint {
  const given = object(value, where, KEYS);
  const column = columnReader(width, names);
  return tabular({
    columns: readColumns<TableColumn>(given, where, width, column, names, {
      type: word('real', 'integer', 'boolean'),
      cost: number,
    }),
    oneHot: optional(given, 'oneHot', where, list(list(column))),
    relations: optional(given, 'relations', where, list(relation(column))),
    products: optional(given, 'products', where, list(product(column))),
    maxCost: optional(given, 'maxCost', where, number),
  });
}

function relation(column: Read<number>): Read<TableRelation> {
  return (value, where) => {
    const given = object(value, where, ['terms', 'equals', 'atLeast', 'atMost', 'tolerance']);
    const terms = required(given, 'terms', where, entries(number));
    return {
      terms: terms.map(([key, factor]) => [column(key, `${where}.terms`), factor] as const),
      equals: optional(given, 'equals', where, number),
      atLeast: optional(given, 'atLeast', where, number),
      atMost: optional(given, 'atMost', where, number),
      tolerance: optional(given, 'tolerance', where, number),
    };
  };
}

function product(column: Read<number>): Read<TableProduct> {
  return (value, where) => {
    const given = object(value, where, ['of', 'equals', 'factor', 'tolerance']);
    return {
      of: required(given, 'of', where, list(column)),
      equals: required(given, 'equals', where, column),
      factor: optional(given, 'factor', where, number),
      tolerance: optional(given, 'tolerance', where, number),
    };
  };
}

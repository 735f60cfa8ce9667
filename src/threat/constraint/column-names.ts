import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';
import type { Read } from './json.ts';

/**
 * Reads a column: its name, or its number from 0 (as a number, or as digits where no column is called so).
 * Without `names` only numbers are known. Errors: `option/invalid` (no such column, a name that several columns have).
 */
export function columnReader(width: number, names: readonly string[] | undefined): Read<number> {
  return (value, where) => {
    if (typeof value === 'string') {
      const at = names?.indexOf(value) ?? -1;
      if (at >= 0 && names!.lastIndexOf(value) === at) return at;
      if (at >= 0) return refuse(where, 'a name that one column has, or its number', value);
      if (!/^\d{1,9}$/.test(value)) {
        if (!names) return refuse(where, 'a column number, because the data have no names', value);
        return refuse(where, 'the name of a column, or its number', value, suggestion(value, names));
      }
    }
    const at = typeof value === 'string' ? Number(value) : value;
    if (typeof at === 'number' && Number.isInteger(at) && at >= 0 && at < width) return at;
    return refuse(where, `a column number below ${width}`, value);
  };
}

function refuse(where: string, expected: string, value: unknown, more = ''): never {
  const got =
    typeof value === 'string'
      ? `'${value.slice(0, 40)}'`
      : typeof value === 'number'
        ? value
        : 'another value';
  throw new GlacisError('option/invalid', `${where}: expected ${expected}, got ${got}${more}`);
}

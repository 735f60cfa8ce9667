import { GlacisError } from '../../core/error.ts';

/** A whole number of a query, from 0; undefined where it is not given. Errors: `option/invalid`. */
export function wholeFrom(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new GlacisError('option/invalid', `?${name}=: expected a whole number, got something else`);
}

/** A text of a query; undefined where it is not given or empty. Errors: `option/invalid` for one that is too long. */
export function textFrom(text: string | undefined, name: string): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length <= 512) return text;
  throw new GlacisError('option/invalid', `?${name}=: expected at most 512 characters, got ${text.length}`);
}

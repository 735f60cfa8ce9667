import { GlacisError } from '../core/error.ts';

/** Everything wrong with a value, each as `path: expected X, got Y`. */
export type Check = (value: unknown, path: string, problems: string[]) => void;

/** Problems that an error names; the rest is counted. */
const SHOWN = 8;
/** How deep an attack's options may nest. */
const OPTION_DEPTH = 6;

/**
 * The JSON value that a result file holds; a byte order mark is passed over.
 *
 * @param where names the text in an error, e.g. its file
 * @throws GlacisError `result/invalid`
 */
export function jsonIn(text: string, where: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    throw new GlacisError('result/invalid', `${where}: expected JSON, got text that does not parse`, {
      cause,
    });
  }
}

/**
 * The value itself, if it names `schema` and passes `check`.
 *
 * @param origin the command that writes such files, for the error
 * @throws GlacisError `result/invalid`, naming the fields that are wrong
 */
export function checked<T>(
  value: unknown,
  where: string,
  format: { readonly schema: string; readonly origin: string; readonly check: Check },
): T {
  const schema =
    typeof value === 'object' && value !== null ? (value as { schema?: unknown }).schema : undefined;
  if (schema !== format.schema) {
    throw new GlacisError(
      'result/invalid',
      `${where}: expected "schema": "${format.schema}", got ${describe(schema)}; is this the file that \`${format.origin}\` wrote?`,
    );
  }
  const problems: string[] = [];
  format.check(value, '', problems);
  if (problems.length > 0) {
    const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
    throw new GlacisError('result/invalid', `${where}: ${problems.slice(0, SHOWN).join('; ')}${more}`);
  }
  return value as T;
}

/** A short name of a value for an error; long or structured ones are not repeated. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 40) : String(value));
}

/** A check of one value. */
export const rule =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value, path, problems) => {
    if (!holds(value)) problems.push(`${path}: expected ${expected}, got ${describe(value)}`);
  };

/** Any text. */
export const text = rule('a text', (v) => typeof v === 'string');
/** A text that says something. */
export const name = rule('a text that is not empty', (v) => typeof v === 'string' && v !== '');
/** A share. */
export const fraction = rule('a number between 0 and 1', (v) => typeof v === 'number' && v >= 0 && v <= 1);
/** A size or a time. */
export const amount = rule('a finite number of 0 or more', (v) => Number.isFinite(v) && (v as number) >= 0);
/** How many. */
export const count = rule('a whole number of 0 or more', isCount);
/** How many, and not none. */
export const positive = rule(
  'a whole number of 1 or more',
  (v) => Number.isSafeInteger(v) && (v as number) >= 1,
);
/** Any number that JSON can hold. */
export const finite = rule('a finite number', Number.isFinite);
/** A point in time. */
export const time = rule(
  'a time as ISO 8601',
  (v) => typeof v === 'string' && /^\d{4}-\d\d-\d\dT/.test(v) && !Number.isNaN(Date.parse(v)),
);
/** One of a closed list of words. */
export const one = (values: readonly string[]) =>
  rule(`one of ${values.join(', ')}`, (v) => values.includes(v as string));

/** Whether the value is a whole number of 0 or more. */
export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A list of at most `most` such items. */
export const list =
  (item: Check, most = Number.POSITIVE_INFINITY): Check =>
  (value, path, problems) => {
    if (!Array.isArray(value)) problems.push(`${path}: expected a list, got ${describe(value)}`);
    else if (value.length > most) {
      problems.push(`${path}: expected at most ${most} entries, got ${value.length}`);
    } else for (let i = 0; i < value.length; i++) item(value[i], `${path}[${i}]`, problems);
  };

/** What may be missing. */
export const optional =
  (check: Check): Check =>
  (value, path, problems) => {
    if (value !== undefined) check(value, path, problems);
  };

/** An object with these fields; `also` sees it only when each field is good. */
export const object =
  (fields: Readonly<Record<string, Check>>, also?: (value: never) => string | undefined): Check =>
  (value, path, problems) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      problems.push(`${path || 'the file'}: expected an object, got ${describe(value)}`);
      return;
    }
    const before = problems.length;
    for (const [key, check] of Object.entries(fields)) {
      const field = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      check(field, path ? `${path}.${key}` : key, problems);
    }
    const problem = problems.length === before ? also?.(value as never) : undefined;
    if (problem) problems.push(path ? `${path}: ${problem}` : problem);
  };

/** Any JSON value with finite numbers, at most `depth` levels deep. */
const json =
  (depth: number): Check =>
  (value, path, problems) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
    if (typeof value === 'number') return finite(value, path, problems);
    if (typeof value !== 'object') problems.push(`${path}: expected a JSON value, got ${describe(value)}`);
    else if (depth === 0) problems.push(`${path}: expected at most ${OPTION_DEPTH} levels, got more`);
    else
      for (const [key, item] of Object.entries(value))
        json(depth - 1)(item, `${path}.${key.slice(0, 40)}`, problems);
  };

/** An attack's options: an object of JSON values, nested at most six deep. */
export const options: Check = (value, path, problems) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${path}: expected an object, got ${describe(value)}`);
  } else json(OPTION_DEPTH)(value, path, problems);
};

/** An interval of fractions. */
export const pair: Check = (value, path, problems) => {
  if (!Array.isArray(value) || value.length !== 2)
    problems.push(`${path}: expected [low, high], got ${describe(value)}`);
  else for (let i = 0; i < 2; i++) fraction(value[i], `${path}[${i}]`, problems);
};

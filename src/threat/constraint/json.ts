import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';

/** Reads one JSON value; `where` is its place for messages. Errors: `option/invalid`. */
export type Read<T> = (value: unknown, where: string) => T;

/**
 * Parses JSON in which no object has a key twice: what a reader sees would not be what applies. A byte order mark is skipped.
 * Errors: `data/unreadable`.
 */
export function parseJson(text: string, where: string): unknown {
  const json = text.replace(/^\ufeff/, '');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new GlacisError('data/unreadable', `${where}: expected JSON, got text that does not parse`, {
      cause,
    });
  }
  // The text is JSON, so texts, braces and brackets are all that matters; a text before a colon is a key.
  const open: (Set<string> | undefined)[] = [];
  for (const [, token, colon] of json.matchAll(/("(?:[^"\\]|\\.)*"|[{}[\]])(\s*:)?/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token!) as string;
      const keys = open.at(-1)!;
      if (keys.has(key))
        throw new GlacisError('data/unreadable', `${where}: expected each key once, got ${shown(key)} twice`);
      keys.add(key);
    }
  }
  return value;
}

/** The object with no other keys than `keys`. Errors: also `option/unknown`, with the nearest known key. */
export function object(
  value: unknown,
  where: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  const found = entries((v) => v)(value, where);
  for (const [key] of found)
    if (!keys.includes(key))
      throw new GlacisError(
        'option/unknown',
        `${where}: expected a key of ${keys.join(', ')}, got ${shown(key)}${suggestion(key, keys)}`,
      );
  return Object.fromEntries(found);
}

/** The value of a key, or `undefined` where the object does not have it. */
export function optional<T>(
  from: Readonly<Record<string, unknown>>,
  key: string,
  where: string,
  read: Read<T>,
): T | undefined {
  return Object.hasOwn(from, key) ? read(from[key], `${where}.${key}`) : undefined;
}

/** The value of a key that must be there. */
export function required<T>(
  from: Readonly<Record<string, unknown>>,
  key: string,
  where: string,
  read: Read<T>,
): T {
  if (!Object.hasOwn(from, key))
    throw new GlacisError('option/invalid', `${where}: expected a key '${key}', got none`);
  return read(from[key], `${where}.${key}`);
}

/** A finite number. */
export const number: Read<number> = (value, where) =>
  typeof value === 'number' && Number.isFinite(value) ? value : refuse(where, 'a finite number', value);

/** `true` or `false`. */
export const flag: Read<boolean> = (value, where) =>
  typeof value === 'boolean' ? value : refuse(where, 'true or false', value);

/** A text. */
export const text: Read<string> = (value, where) =>
  typeof value === 'string' ? value : refuse(where, 'a text', value);

/** One of a few words. */
export function word<T extends string>(...words: readonly T[]): Read<T> {
  return (value, where) => {
    const found = words.find((w) => w === value);
    if (found !== undefined) return found;
    const near = typeof value === 'string' ? suggestion(value, words) : '';
    return refuse(where, words.join(' or '), value, near);
  };
}

/** A list of at most `most` values. */
export function list<T>(read: Read<T>, most = 65536): Read<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) return refuse(where, 'a list', value);
    if (value.length > most) return refuse(where, `at most ${most} values`, value);
    return value.map((v, i) => read(v, `${where}[${i}]`));
  };
}

/** Keys and values of an object. */
export function entries<T>(read: Read<T>): Read<readonly (readonly [string, T])[]> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse(where, 'an object', value);
    return Object.entries(value).map(([key, v]) => [key, read(v, `${where}.${key.slice(0, 40)}`)] as const);
  };
}

function refuse(where: string, expected: string, value: unknown, more = ''): never {
  throw new GlacisError('option/invalid', `${where}: expected ${expected}, got ${kind(value)}${more}`);
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? shown(value) : String(value);
}

function shown(value: string): string {
  return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
}

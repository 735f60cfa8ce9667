import { GlacisError } from './error.ts';

/** A value as it is written in `name(key=value)`. */
export type OptionValue = number | string | boolean;

/** An attack (or other named thing) with its options, as the user wrote it. */
export interface Spec {
  readonly name: string;
  readonly options: Readonly<Record<string, OptionValue>>;
}

/**
 * Reads `fgsm,pgd(steps=40, stepSize=0.01)`. Numbers may be fractions (`8/255`); `true` and `false` are booleans; anything else
 * without a comma or parenthesis is text. Errors: `option/invalid` with the place.
 */
export function parseSpecs(text: string): readonly Spec[] {
  const specs: Spec[] = [];
  let at = 0;
  const fail = (expected: string): never => {
    throw new GlacisError(
      'option/invalid',
      `'${text}': expected ${expected} at position ${at + 1}, got ${at < text.length ? `'${text[at]}'` : 'the end'}`,
    );
  };
  const blank = () => {
    while (text[at] === ' ') at++;
  };
  const word = (expected: string): string => {
    blank();
    const found = /^[A-Za-z][\w-]*/.exec(text.slice(at))?.[0] ?? fail(expected);
    at += found.length;
    blank();
    return found;
  };
  for (;;) {
    const name = word('a name');
    const options: Record<string, OptionValue> = {};
    if (text[at] === '(') {
      at++;
      blank();
      while (text[at] !== ')') {
        const start = at;
        const key = word('an option');
        if (Object.hasOwn(options, key)) {
          at = start;
          fail(`'${key}' once`);
        }
        if (text[at] !== '=') fail("'='");
        at++;
        blank();
        const raw = /^[^,()]+/.exec(text.slice(at))?.[0] ?? fail('a value');
        const value = valueFrom(raw.trim()) ?? fail('a finite number');
        at += raw.length;
        Object.defineProperty(options, key, { value, enumerable: true });
        if (text[at] === ',') at++;
        else if (text[at] !== ')') fail("',' or ')'");
        blank();
      }
      at++;
      blank();
    }
    specs.push({ name, options });
    if (at >= text.length) return specs;
    if (text[at] !== ',') fail("','");
    at++;
  }
}

/** A decimal number, as it is written everywhere; `Number` alone would also read `0x10` and blanks. */
const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;
const NUMBER_OR_FRACTION = new RegExp(`^(${NUMBER})(?:\\s*/\\s*(${NUMBER}))?$`);

/** The value that `raw` writes; `undefined` for a number that is not finite. */
function valueFrom(raw: string): OptionValue | undefined {
  if (raw === 'true') return true;
  if (raw === 'false') return false;
  const match = NUMBER_OR_FRACTION.exec(raw);
  if (!match) return raw;
  const number = Number(match[1]) / Number(match[2] ?? 1);
  return Number.isFinite(number) ? number : undefined;
}

/**
 * `defaults` with what was given. Errors: `option/unknown` for a key that does not exist (with the nearest that does),
 * `option/invalid` for a value of another type.
 */
export function mergeOptions<T extends object>(
  where: string,
  defaults: T,
  given: Readonly<Record<string, unknown>>,
): T {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, key))
      throw new GlacisError(
        'option/unknown',
        `${where}: expected an option of ${Object.keys(defaults).join(', ') || 'none'}, got '${key}'${suggestion(key, Object.keys(defaults))}`,
      );
    const fallback = defaults[key as keyof T];
    if (fallback !== undefined && fallback !== null && typeof fallback !== typeof value) {
      throw new GlacisError(
        'option/invalid',
        `${where}: expected ${key} to be a ${typeof fallback}, got ${typeof value === 'string' ? `'${value}'` : typeof value}`,
      );
    }
  }
  return { ...defaults, ...given };
}

/** ` (did you mean 'steps'?)` for the nearest of `known` within two edits, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = known
    .map((k) => ({ k, d: edits(word.toLowerCase(), k.toLowerCase()) }))
    .sort((a, b) => a.d - b.d)[0];
  return near && near.d <= 2 ? ` (did you mean '${near.k}'?)` : '';
}

/** Levenshtein distance, cut off beyond words of 64 letters. */
function edits(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return 64;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

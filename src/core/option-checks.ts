import { GlacisError } from './error.ts';

/** Throws `option/invalid` unless the option is a whole number of at least `least`. */
export function wholeFrom<T extends object>(options: T, name: keyof T & string, least: number): void {
  const value: unknown = options[name];
  if (!Number.isInteger(value) || (value as number) < least)
    throw new GlacisError(
      'option/invalid',
      `${name}: expected a whole number of at least ${least}, got ${value}`,
    );
}

/** Throws `option/invalid` unless the option is above `low` (or equal to it where `orEqual`) and at most `high`. */
export function numberIn<T extends object>(
  options: T,
  name: keyof T & string,
  low: number,
  high = Number.MAX_VALUE,
  orEqual?: 'or equal',
): void {
  const value = options[name] as number;
  const isAbove = orEqual ? value >= low : value > low;
  if (!(isAbove && value <= high))
    throw new GlacisError(
      'option/invalid',
      `${name}: expected a number ${orEqual ? `of at least ${low}` : `above ${low}`}${high < Number.MAX_VALUE ? ` and at most ${high}` : ''}, got ${value}`,
    );
}

/** Throws `option/invalid` unless the option is one of `choices`. */
export function choiceOf<T extends object>(
  options: T,
  name: keyof T & string,
  choices: readonly string[],
): void {
  const value: unknown = options[name];
  if (!choices.includes(value as string))
    throw new GlacisError('option/invalid', `${name}: expected ${choices.join(' or ')}, got '${value}'`);
}

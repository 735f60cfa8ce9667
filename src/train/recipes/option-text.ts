import { GlacisError } from '../../core/error.ts';
import type { RecipeOptions } from './recipe.ts';

/** Most sizes in a list, and the largest of each: networks beyond are a slip of the keyboard. */
const MOST = 64;
const LARGEST = 65_536;

/** A list of sizes, written with blanks between; `none` for no size. Errors: `option/invalid`. */
export function sizesFrom(options: RecipeOptions, name: string): readonly number[] {
  const text = String(options[name]).trim();
  const sizes = text === 'none' ? [] : text.split(/\s+/).map(Number);
  if (sizes.length > MOST || !sizes.every((n) => Number.isInteger(n) && n >= 1 && n <= LARGEST))
    throw new GlacisError(
      'option/invalid',
      `${name}: expected up to ${MOST} sizes from 1 to ${LARGEST} with blanks between, got '${text.slice(0, 60)}'`,
    );
  return sizes;
}

/** A whole number. Errors: `option/invalid`. */
export function sizeFrom(options: RecipeOptions, name: string, least = 1, most = LARGEST): number {
  const value = options[name];
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw new GlacisError(
      'option/invalid',
      `${name}: expected a whole number from ${least} to ${most}, got ${value}`,
    );
  return value as number;
}

/** A share from 0 up to, but not, 1. Errors: `option/invalid`. */
export function shareFrom(options: RecipeOptions, name: string): number {
  const value = options[name] as number;
  if (!(value >= 0 && value < 1))
    throw new GlacisError(
      'option/invalid',
      `${name}: expected a share from 0 up to, but not, 1, got ${value}`,
    );
  return value;
}

/** One of `choices`. Errors: `option/invalid`. */
export function wordFrom<T extends string>(options: RecipeOptions, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === options[name]);
  if (found === undefined)
    throw new GlacisError(
      'option/invalid',
      `${name}: expected ${choices.join(' or ')}, got '${options[name]}'`,
    );
  return found;
}

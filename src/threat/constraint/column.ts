import { GlacisError } from '../../core/error.ts';
import { ceilFloat32, floorFloat32 } from './float32.ts';
import { isLevel, isPlain, type Levels, roundingOf, type Scale } from './levels.ts';

/** What the values of one column may be, in the units of the data's owner. */
export interface Column {
  /** For messages. */
  readonly name?: string | undefined;
  /** Least and greatest value. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Values above 0 only. */
  readonly positive?: boolean | undefined;
  /** Values are whole multiples of it: 1 for whole numbers, 0.01 for cents. */
  readonly step?: number | undefined;
  /** Must stay as it is. */
  readonly immutable?: boolean | undefined;
  /** May only grow (`up`) or only shrink (`down`). */
  readonly direction?: 'up' | 'down' | undefined;
  /** The most that a value may change by. */
  readonly maxChange?: number | undefined;
  /** The most that a value may change by, as a share of the clean value. */
  readonly maxRelativeChange?: number | undefined;
  /** The model sees `(value − mean) / std`; 0 and 1 unless given. */
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
}

/** A column, ready to be asked about the model's inputs `x`, given the clean input `c`. */
export interface ColumnRule {
  readonly name: string;
  readonly scale: Scale;
  readonly levels?: Levels;
  /** Least and greatest input that the column allows; holds `c`. */
  interval(c: number): readonly [number, number];
  /** It never changes. */
  readonly isFixed: boolean;
  /** Why `x` is not allowed, or `undefined`. */
  violation(x: number, c: number): string | undefined;
}

/**
 * Checks a column's description and makes its rule; a column without a name is `column 3` in messages, by its number.
 * Errors: `option/invalid` (contradictions, numbers out of range).
 */
export function columnRule(column: Column, number: number): ColumnRule {
  const name = column.name ?? `column ${number}`;
  check(column, name);
  const { min, max, positive, step, immutable, direction, maxChange, maxRelativeChange } = column;
  const scale: Scale = { mean: column.mean ?? 0, std: column.std ?? 1 };
  const { mean, std } = scale;
  const inInput = (value: number) => Math.fround((value - mean) / std);
  const zero = floorFloat32(-mean / std);
  const least = Math.max(
    min === undefined ? Number.NEGATIVE_INFINITY : inInput(min),
    // The next number above 0 that is not denormal.
    positive ? ceilFloat32(zero + Math.max(2 ** -126, 2 ** -23 * Math.abs(zero))) : Number.NEGATIVE_INFINITY,
  );
  const most = max === undefined ? Number.POSITIVE_INFINITY : inInput(max);
  const levels = step === undefined ? undefined : { ...scale, step };
  /** How far an input may go from `c`. */
  const reach = (c: number) =>
    Math.min(
      maxChange === undefined ? Number.POSITIVE_INFINITY : maxChange / std,
      maxRelativeChange === undefined
        ? Number.POSITIVE_INFINITY
        : (maxRelativeChange * Math.abs(c * std + mean)) / std,
    );
  const limit = [maxChange, maxRelativeChange === undefined ? undefined : percent(maxRelativeChange)]
    .filter((part) => part !== undefined)
    .join(' or ');
  return {
    name,
    scale,
    isFixed: immutable ?? false,
    ...(levels && { levels }),
    interval(c) {
      if (immutable) return [c, c];
      const r = reach(c);
      return [
        direction === 'up' ? c : Math.min(c, Math.max(least, c - r)),
        direction === 'down' ? c : Math.max(c, Math.min(most, c + r)),
      ];
    },
    violation(x, c) {
      const slack = isPlain(scale) ? 0 : roundingOf(scale, x) / std;
      if (immutable && x !== c) return `${name} changed, which is immutable`;
      if (levels && !isLevel(levels, x))
        return step === 1 ? `${name} is not a whole number` : `${name} is not a multiple of ${step}`;
      if (positive && !(x * std + mean > 0)) return `${name} is not above 0`;
      if (min !== undefined && x < inInput(min) - slack) return `${name} is below ${min}`;
      if (max !== undefined && x > most + slack) return `${name} is above ${max}`;
      if (direction === 'up' && x < c) return `${name} shrank, which may only grow`;
      if (direction === 'down' && x > c) return `${name} grew, which may only shrink`;
      // Rounding: the change of two float32 numbers, each of which was rounded.
      if (Math.abs(x - c) > reach(c) + 2 ** -23 * Math.max(Math.abs(x), Math.abs(c)))
        return `${name} changed by more than ${limit}`;
      return undefined;
    },
  };
}

/** A share as people write it: `0.07` is `7 %`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(6))} %`;
}

function check(column: Column, name: string): void {
  const { min, max, positive, step, maxChange, maxRelativeChange, mean, std, immutable, direction } = column;
  const refuse = (wanted: string) => {
    throw new GlacisError('option/invalid', `${name}: expected ${wanted}, got another value`);
  };
  if (![min ?? 0, max ?? 0, mean ?? 0].every(Number.isFinite)) refuse('finite numbers');
  if (min !== undefined && max !== undefined && min > max) refuse('min up to max');
  if (positive && max !== undefined && max <= 0) refuse('a max above 0 for a positive column');
  for (const [key, value] of Object.entries({ step, std }))
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) refuse(`${key} above 0`);
  for (const [key, value] of Object.entries({ maxChange, maxRelativeChange }))
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) refuse(`${key} of at least 0`);
  if (immutable && (direction ?? maxChange ?? maxRelativeChange) !== undefined)
    refuse('immutable alone, without direction or largest change');
}

import { GlacisError } from '../core/error.ts';
import { checkFinite, extent } from './checks.ts';
import type { ElementType, NumberArray } from './element-type.ts';

/** What happens to the values of a data set before `mean` and `std`. */
export interface ValuePlan {
  /** Least and greatest value after it; absent when the data have no known range. */
  readonly range?: readonly [number, number];
  /** Whether the user declared the range. */
  readonly declared: boolean;
  /** Whether 0–255 is scaled to `range`. */
  readonly scaled: boolean;
  readonly notes: readonly string[];
}

/** What {@link planValues} decides from. */
export interface ValueFacts {
  readonly dtype: ElementType;
  /** The model takes 8-bit pixels itself. */
  readonly modelTakesBytes: boolean;
  /** One sample has three axes with a channel axis of 1, 3 or 4. */
  readonly imageLike: boolean;
  /** The range that the user declared. */
  readonly declared?: readonly [number, number];
  /** Values of the first samples. */
  readonly probe: NumberArray;
  /** Number in the data set of the i-th probed sample. */
  readonly numberOf: (i: number) => number;
  readonly sampleSize: number;
}

/**
 * Decides how values reach the model's range: 8-bit data are scaled, all others are taken as they are and must lie in the
 * declared range. Images of other types without a declared range must lie in 0–1.
 * Errors: `data/not-finite`; `data/mismatch` when values lie outside the range, or when all of two or more samples are equal.
 */
export function planValues(facts: ValueFacts, where: string): ValuePlan {
  const { dtype, modelTakesBytes, imageLike, declared, probe, numberOf, sampleSize } = facts;
  const values = toFloat64(probe);
  checkFinite(values, sampleSize, numberOf, where);
  const [least, most] = extent(values);
  if (least === most && values.length > sampleSize) {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected data that varies, got ${show(least)} for every value of the first samples`,
    );
  }
  const isDeclared = { declared: declared !== undefined };
  if (dtype === 'uint8') {
    const range = declared ?? (modelTakesBytes ? [0, 255] : [0, 1]);
    const [low, high] = range;
    if (low === 0 && high === 255)
      return { range, ...isDeclared, scaled: false, notes: ['8-bit values kept as 0–255'] };
    const how = declared ? '' : ' (range 0,255 would keep them)';
    return {
      range,
      ...isDeclared,
      scaled: true,
      notes: [`8-bit pixels scaled from 0–255 to ${show(low)}–${show(high)}${how}`],
    };
  }
  const assumed = imageLike ? ([0, 1] as const) : undefined;
  const range = declared ?? assumed;
  const seen = `${dtype} values taken as they are (from ${show(least)} to ${show(most)} in the first samples)`;
  if (!range)
    return { ...isDeclared, scaled: false, notes: [`${seen}; no input range is known, range declares one`] };
  checkRange(values, range, declared !== undefined, where);
  return {
    range,
    ...isDeclared,
    scaled: false,
    notes: [`${seen}, input range ${show(range[0])} to ${show(range[1])}${declared ? '' : ' assumed'}`],
  };
}

/** Throws `data/mismatch`, naming the observed extent and the remedy, unless all values lie in `range`, both rounded to float32. */
export function checkRange(
  values: ArrayLike<number>,
  range: readonly [number, number],
  declared: boolean,
  where: string,
): void {
  const [low, high] = range;
  const [least, most] = extent(values).map(Math.fround) as [number, number];
  if (least >= Math.fround(low) && most <= Math.fround(high)) return;
  const kind = declared ? 'the declared range' : 'the usual range of images';
  throw new GlacisError(
    'data/mismatch',
    `${where}: expected values in ${kind} ${show(low)} to ${show(high)}, got ${show(least)} to ${show(most)}; ` +
      `declare what the model takes with --range ${outward(Math.min(low, least), Math.floor)},${outward(Math.max(high, most), Math.ceil)}, or scale the data (8-bit data are scaled by themselves)`,
  );
}

/** All values as numbers; 64-bit integers lose what a double cannot hold. */
export function toFloat64(values: NumberArray): Float64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values, Number)
    : new Float64Array(values);
}

/** Rounded away from the range's middle to about 5 digits, so that the range as printed holds the value. */
function outward(value: number, round: (x: number) => number): string {
  if (Number.isInteger(value) || Math.abs(value) < 1e-30) return show(value);
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 4);
  return show(round(value / unit) * unit);
}

function show(value: number): string {
  return String(Number(value.toPrecision(6)));
}

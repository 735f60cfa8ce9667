import { z } from 'zod';
import type { OutputGuardKind, Scores } from '../output-guard.ts';
import { likeliest, restoreLikeliest } from './likeliest.ts';
import { addsUp } from './probabilities.ts';

/** Decimals that float32 still tells apart with room to spare. */
const MOST_DECIMALS = 5;
/** What float32 may be off, relatively, so that a value rounded before counts as whole. */
const NEARLY = 2.5e-7;

const decimals = z
  .int({ error: `a whole number from 1 to ${MOST_DECIMALS}` })
  .min(1, { error: `a whole number from 1 to ${MOST_DECIMALS}` })
  .max(MOST_DECIMALS, { error: `a whole number from 1 to ${MOST_DECIMALS}` });

/** Either key, not both. */
export const roundingOptions = z
  .strictObject({
    decimals: decimals
      .optional()
      .describe('Decimals of every score; rows of probabilities still add up to 1.'),
    significant: z
      .int({ error: 'a whole number from 1 to 6' })
      .min(1, { error: 'a whole number from 1 to 6' })
      .max(6, { error: 'a whole number from 1 to 6' })
      .optional()
      .describe('Significant digits of every score instead: small ones keep theirs.'),
  })
  .refine((given) => (given.decimals === undefined) !== (given.significant === undefined), {
    error: 'either decimals or significant',
  });

/** Options of {@link rounding}. */
export type RoundingOptions = z.infer<typeof roundingOptions>;

/**
 * Fewer digits. With `decimals`, a row of probabilities is handed out in whole units by largest remainders (Hamilton's method,
 * ties to the first class), so that it adds up to exactly 1 in units; the likeliest class gets its unit first, and nobody else one
 * that would draw level with it. So no value is off by more than a unit (two, for the likeliest of a nearly even row). Other rows,
 * and `significant`, are rounded value by value to nearest. The likeliest class stays the same: one that draws level is kept a
 * step below. Rounding what is rounded changes nothing.
 */
export const rounding: OutputGuardKind<RoundingOptions> = {
  name: 'rounding',
  about: 'gives fewer digits of each score',
  options: roundingOptions,
  make(options) {
    const { significant } = options;
    return {
      name: 'rounding',
      shape: (scores) =>
        significant === undefined
          ? toDecimals(scores, options.decimals!)
          : toSignificant(scores, significant),
    };
  },
};

function toDecimals(scores: Scores, decimals: number): Scores {
  const { values, n, classes, gives } = scores;
  const unit = 10 ** decimals;
  const out = new Float32Array(values.length);
  const units = new Float64Array(classes);
  const remainders = new Uint8Array(classes);
  for (let at = 0; at < n * classes; at += classes) {
    const winner = likeliest(values, at, classes);
    if (gives === 'probabilities' && addsUp(values, at, classes))
      handOut(values, at, classes, winner, unit, units, remainders);
    else {
      for (let k = 0; k < classes; k++) units[k] = Math.round(values[at + k]! * unit);
      if (likeliest(units, 0, classes) !== winner) units[winner]!++;
    }
    for (let k = 0; k < classes; k++) out[at + k] = units[k]! / unit;
    // Large values lose their last decimal in float32.
    restoreLikeliest(out, at, classes, winner);
  }
  return { ...scores, values: out };
}

/** Room for counting remainders, used by one call at a time. */
const COUNTS = new Uint32Array(256);

/** Largest remainders, in whole units that add up to `unit`. Linear in the classes: remainders are compared in 256 steps. */
function handOut(
  values: Float32Array,
  at: number,
  classes: number,
  winner: number,
  unit: number,
  units: Float64Array,
  remainders: Uint8Array,
): void {
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += values[at + k]!;
  let left = unit;
  for (let k = 0; k < classes; k++) {
    const exact = (values[at + k]! / sum) * unit;
    // Never more than `unit` in all: what is added here stays below half a unit over the whole row.
    const whole = Math.floor(exact * (1 + NEARLY));
    units[k] = whole;
    remainders[k] = Math.max(0, Math.min(255, (exact - whole) * 256));
    left -= whole;
  }
  if (left === 0) {
    const level = likeliest(units, 0, classes);
    if (level !== winner) {
      units[level]!--;
      units[winner]!++;
    }
    return;
  }
  units[winner]!++;
  left--;
  const able = (ahead: number) => {
    let count = 0;
    for (let k = 0; k < classes; k++) if (k !== winner && units[k]! + 1 < ahead) count++;
    return count;
  };
  if (left > 0 && able(units[winner]!) < left) {
    // Nearly even: the likeliest goes one unit further ahead, so that all others may rise.
    units[winner]!++;
    left--;
  }
  const ahead = units[winner]!;
  const counts = COUNTS.fill(0);
  for (let k = 0; k < classes; k++) if (k !== winner && units[k]! + 1 < ahead) counts[remainders[k]!]!++;
  let cut = 255;
  let above = 0;
  while (cut > 0 && above + counts[cut]! < left) above += counts[cut--]!;
  let atCut = left - above;
  for (let k = 0; k < classes && left > 0; k++) {
    if (k === winner || units[k]! + 1 >= ahead) continue;
    if (remainders[k]! > cut || (remainders[k]! === cut && atCut-- > 0)) {
      units[k]!++;
      left--;
    }
  }
}

function toSignificant(scores: Scores, digits: number): Scores {
  const { values, n, classes } = scores;
  const out = new Float32Array(values.length);
  for (let at = 0; at < n * classes; at += classes) {
    for (let k = 0; k < classes; k++) out[at + k] = significantDigits(values[at + k]!, digits);
    const winner = likeliest(values, at, classes);
    const level = out[at + winner]!;
    if (Number.isFinite(level))
      for (let k = 0; k < winner; k++) if (out[at + k] === level) out[at + k] = stepBelow(level, digits);
  }
  return { ...scores, values: out };
}

/** To nearest, halves away from 0. */
function significantDigits(value: number, digits: number): number {
  if (value === 0 || value - value !== 0) return value;
  const unit = 10 ** (digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  // Beyond float64's range there is nothing to scale by; such values are denormal in float32.
  return Number.isFinite(unit) ? (Math.sign(value) * Math.round(Math.abs(value) * unit)) / unit : value;
}

/** A unit of the last significant digit below. */
function stepBelow(value: number, digits: number): number {
  if (value === 0) return -(10 ** -digits);
  return significantDigits(value - 10 ** (Math.floor(Math.log10(Math.abs(value))) - digits + 1), digits);
}

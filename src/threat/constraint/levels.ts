/** Float32 rounding of a value that was computed once, and of one that was also standardised by others, in other ways. */
const EXACT = 2 ** -24 * (1 + 2 ** -20);
const STANDARDISED = 2 ** -21;

/** From the model's input to the units of the data's owner: `value = x · std + mean`. */
export interface Scale {
  readonly mean: number;
  readonly std: number;
}

/** Whether the model sees the owner's values as they are. */
export function isPlain({ mean, std }: Scale): boolean {
  return mean === 0 && std === 1;
}

/** What rounding may do to the owner's value of the input `x`. */
export function roundingOf(scale: Scale, x: number): number {
  const { mean, std } = scale;
  return isPlain(scale) ? EXACT * Math.abs(x) : STANDARDISED * (Math.abs(x * std) + Math.abs(mean));
}

/** A column whose values, in the owner's units, are whole multiples of `step`. */
export interface Levels extends Scale {
  readonly step: number;
}

/** Whether `x` is a level, up to what float32 rounds away. Coarse where float32 does not resolve the steps. */
export function isLevel(levels: Levels, x: number): boolean {
  const level = numberOf(levels, x);
  return Math.abs(level - Math.round(level)) * levels.step <= roundingOf(levels, x);
}

/** The input `x` of level `k`, as float32. */
export function levelAt({ step, mean, std }: Levels, k: number): number {
  return Math.fround((k * step - mean) / std);
}

/**
 * The level nearest to `y` that lies in `[low, high]`, which holds the level `clean`; `inward` takes the next one towards `clean`
 * instead of the nearest. `clean` itself where there is no other.
 */
export function levelNear(
  levels: Levels,
  y: number,
  clean: number,
  low: number,
  high: number,
  inward = false,
): number {
  const home = Math.round(numberOf(levels, clean));
  const level = numberOf(levels, y);
  let k = Math.round(level);
  if (inward && Math.abs(k - level) > 1e-6) k = level > home ? Math.floor(level) : Math.ceil(level);
  const fits = (at: number) => at === home || inside(levelAt(levels, at), low, high);
  // One step back is enough where `y` lies in the range; more where it does not.
  if (!fits(k)) k = k > home ? Math.floor(numberOf(levels, high)) : Math.ceil(numberOf(levels, low));
  if (!fits(k)) k += k > home ? -1 : 1;
  return k === home || !fits(k) ? clean : levelAt(levels, k);
}

/** The level, perhaps a fraction, of the input `x`. */
function numberOf({ step, mean, std }: Levels, x: number): number {
  return (x * std + mean) / step;
}

/** Up to the rounding of float32. */
function inside(x: number, low: number, high: number): boolean {
  return x >= low - 2 ** -23 * Math.abs(low) && x <= high + 2 ** -23 * Math.abs(high);
}

/** How an answer can be attributed to the input. */
export const ATTRIBUTION_METHODS = ['saliency', 'gradient-input', 'integrated'] as const;

/**
 * One of {@link ATTRIBUTION_METHODS}. `saliency`: the gradient (Simonyan et al. 2014); `gradient-input`: gradient × input (Shrikumar et al. 2016); `integrated`:
 * integrated gradients from a baseline (Sundararajan et al. 2017), whose sum is about the difference of the output to the baseline's.
 */
export type AttributionMethod = (typeof ATTRIBUTION_METHODS)[number];

/** Points on the way from the baseline to the input, for integrated gradients. */
export const INTEGRATED_POINTS = 24;

/** Gradients of output `output` at `rows` points, `[rows, …sampleDims]` both, row-major. */
export type AskGradients = (points: Float32Array, output: number, rows: number) => Promise<Float32Array>;

/** What {@link attributionsOf} is told. */
export interface AttributionOptions {
  readonly method: AttributionMethod;
  /** What every element is where the input says nothing: black, the mean. For `integrated` alone. */
  readonly baseline: number;
}

/**
 * How much each element of the sample `x` speaks for output `output` (a logit): the gradient there, times the input, or the gradients at the middles of
 * {@link INTEGRATED_POINTS} steps on the way from the baseline, averaged, times the way. Cost: 1 gradient, or 24. Errors: those of `ask`.
 */
export async function attributionsOf(
  ask: AskGradients,
  x: Float32Array,
  output: number,
  { method, baseline }: AttributionOptions,
): Promise<Float32Array> {
  if (method !== 'integrated') {
    const gradient = await ask(x, output, 1);
    return method === 'saliency' ? gradient.slice() : gradient.map((value, i) => value * x[i]!);
  }
  const total = new Float64Array(x.length);
  for (let point = 0; point < INTEGRATED_POINTS; point++) {
    const share = (point + 0.5) / INTEGRATED_POINTS;
    const at = x.map((value) => baseline + share * (value - baseline));
    const gradient = await ask(at, output, 1);
    for (let i = 0; i < total.length; i++) total[i]! += gradient[i]! / INTEGRATED_POINTS;
  }
  return x.map((value, i) => total[i]! * (value - baseline));
}

/**
 * An attribution as it is shown: its largest element is 1 or −1, and every other a share of it with `decimals` decimals. How steep the model is, which helps a copy most, is not
 * told. One without any finite element but zero stays zero.
 */
export function shownAttribution(values: Float32Array, decimals: number): Float32Array {
  const unit = 10 ** decimals;
  let most = 0;
  for (const value of values) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  if (most === 0) return new Float32Array(values.length);
  // `|| 0`: no −0, which would tell the sign of what was rounded away; and nothing that is no number.
  return values.map(
    (value) => Math.round((Math.max(-most, Math.min(most, value)) / most) * unit) / unit || 0,
  );
}

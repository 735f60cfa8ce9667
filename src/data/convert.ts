import { GlacisError } from '../core/error.ts';
import { elementCount } from '../onnx/tensor.ts';
import { checkFinite } from './checks.ts';
import { type ElementType, isFloating, type NumberArray } from './element-type.ts';
import { type LayoutPlan, moveChannels } from './layout.ts';
import { checkRange, toFloat64, type ValuePlan } from './value-range.ts';

/**
 * Least and greatest value of the model's input, as float32: one number, or one for each channel along `channelAxis` of a
 * sample. Sound because they are computed as the values are: every value of every sample lies in them exactly.
 */
export interface Bounds {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly channelAxis?: number;
}

/** Normalisation after scaling; one number, or one for each channel. */
export interface Normalisation {
  readonly mean?: number | readonly number[];
  readonly std?: number | readonly number[];
}

/** Turns stored values into the model's input, and says what bounds follow. */
export interface Converter {
  readonly bounds?: Bounds;
  readonly notes: readonly string[];
  /** `raw` holds the samples whose numbers in the source are `numbers`; the result is in the model's layout. */
  apply(raw: NumberArray, numbers: Int32Array): Float32Array;
}

/**
 * The steps from stored values to the model's input: scale or keep, check, move the channels, subtract `mean`, divide by
 * `std`. Errors when built: `option/invalid` (another number of channels); when applied: `data/not-finite`, `data/mismatch`
 * (outside the range).
 */
export function converter(
  values: ValuePlan,
  plan: LayoutPlan,
  normalisation: Normalisation,
  dtype: ElementType,
  where: string,
): Converter {
  const size = elementCount(plan.shape);
  const channels = plan.channelAxis === undefined ? 1 : plan.shape[plan.channelAxis]!;
  const mean = perChannel(normalisation.mean, 0, channels, 'mean');
  const std = perChannel(normalisation.std, 1, channels, 'std');
  const normalised = normalisation.mean !== undefined || normalisation.std !== undefined;
  const inner = plan.channelAxis === 0 ? size / channels : 1;
  const { range } = values;
  const [low, high] = (range ?? [0, 1]).map(Math.fround) as [number, number];
  const scaled = Float32Array.from({ length: 256 }, (_, byte) =>
    byte === 255 ? high : low + (byte / 255) * (high - low),
  );
  const bound = (value: number) => mean.map((m, c) => Math.fround((value - m) / std[c]!));
  return {
    ...(range && {
      bounds: {
        low: normalised ? bound(low) : [low],
        high: normalised ? bound(high) : [high],
        ...(normalised && plan.channelAxis !== undefined && { channelAxis: plan.channelAxis }),
      },
    }),
    notes: normalised ? [`mean ${mean.join(', ')} subtracted, then divided by std ${std.join(', ')}`] : [],
    apply(raw, numbers) {
      const stored = values.scaled ? lookUp(raw as Uint8Array, scaled) : new Float32Array(toFloat64(raw));
      if (isFloating(dtype)) checkFinite(stored, size, (i) => numbers[i]!, where);
      if (range && !values.scaled && dtype !== 'uint8') checkRange(stored, range, values.declared, where);
      const x = moveChannels(stored, numbers.length, plan);
      if (!normalised) return x;
      // With channels first, `inner` neighbours share a channel; with channels last, channels alternate.
      for (let at = 0, c = 0; at < x.length; at += inner, c = (c + 1) % channels) {
        for (let i = at; i < at + inner; i++) x[i] = (x[i]! - mean[c]!) / std[c]!;
      }
      return x;
    },
  };
}

function lookUp(bytes: Uint8Array, table: Float32Array): Float32Array {
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = table[bytes[i]!]!;
  return values;
}

function perChannel(
  value: number | readonly number[] | undefined,
  fallback: number,
  channels: number,
  name: string,
): readonly number[] {
  const list = typeof value === 'number' || value === undefined ? [value ?? fallback] : value;
  if (list.length === 1) return new Array<number>(channels).fill(list[0]!);
  if (list.length === channels) return list;
  throw new GlacisError(
    'option/invalid',
    `${name}: expected one number or ${channels}, one for each channel, got ${list.length}`,
  );
}

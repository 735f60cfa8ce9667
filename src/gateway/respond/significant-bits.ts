/** Bits of a float32 behind the leading one. */
const MANTISSA = 23;
/** The exponent of NaN and infinities. */
const ALL_ONES = 0x7f800000;

/**
 * The values with as many leading bits as `digits` decimal digits need, to nearest; NaN and infinities as they are. Bits and not
 * digits, because an output may have millions of elements and this is one addition and one mask for each. Rounding what is rounded
 * changes nothing.
 */
export function significantBits(values: Float32Array, digits: number): Float32Array {
  const drop = MANTISSA - Math.ceil(digits * Math.log2(10));
  if (drop <= 0) return values;
  const out = values.slice();
  const bits = new Int32Array(out.buffer);
  const half = 1 << (drop - 1);
  const mask = -1 << drop;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    if ((value & ALL_ONES) === ALL_ONES) continue;
    // A carry into the exponent rounds up to the next power of two; the largest numbers are cut instead.
    const rounded = (value + half) & mask;
    bits[i] = (rounded & ALL_ONES) === ALL_ONES ? value & mask : rounded;
  }
  return out;
}

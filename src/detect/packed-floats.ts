import { z } from 'zod';

/** Most elements of one array in a calibration: 64 MiB. */
export const MOST_PACKED = 2 ** 24;

/** Float32 values as base64 of their bytes, little-endian: exact, and a quarter of what JSON's digits take. */
export function packFloats(values: Float32Array): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i]!, 4 * i);
  return bytes.toString('base64');
}

const WORDS = 'finite float32 values as base64';

/** Reads what {@link packFloats} wrote: up to `most` finite values, in base64 as it is written (no blanks, nothing left over). */
export function packedFloats(most: number = MOST_PACKED) {
  return z
    .string({ error: WORDS })
    .max(Math.ceil((4 * most) / 3) * 4, { error: `at most ${most} values` })
    .transform((text, context): Float32Array => {
      const bytes = Buffer.from(text, 'base64');
      const values = new Float32Array(bytes.length >> 2);
      let good = bytes.length % 4 === 0 && bytes.toString('base64') === text;
      for (let i = 0; i < values.length; i++) {
        const value = bytes.readFloatLE(4 * i);
        if (!Number.isFinite(value)) good = false;
        values[i] = value;
      }
      if (good) return values;
      context.issues.push({ code: 'custom', message: WORDS, input: text.length });
      return z.NEVER;
    });
}

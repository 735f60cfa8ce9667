import type { Tensor } from '../../oip/index.ts';

/** Bits of the exponent of 16-bit floats: all set in NaN and infinities. */
const EXPONENT = { FP16: 0x7c00, BF16: 0x7f80 } as const;

/**
 * Number of the first element that is NaN or infinite, −1 without one; whole numbers and bytes are always finite. A model gives some answer to
 * NaN, and mostly a confident one, because comparisons with NaN are false. Cost: one pass.
 */
export function firstNotFinite({ datatype, data }: Tensor): number {
  switch (datatype) {
    case 'FP32':
    case 'FP64': {
      for (let i = 0; i < data.length; i++) {
        const value = data[i]!;
        // NaN for NaN and infinities, 0 otherwise.
        if (value - value !== 0) return i;
      }
      return -1;
    }
    case 'FP16':
    case 'BF16': {
      const mask = EXPONENT[datatype];
      for (let i = 0; i < data.length; i++) if ((data[i]! & mask) === mask) return i;
      return -1;
    }
    default:
      return -1;
  }
}

import { GlacisError } from '../../core/error.ts';
import { wholeFrom } from '../../core/option-checks.ts';
import { defineDefence } from './defence.ts';

/** Options of the reduction of bits. */
export interface BitDepthOptions {
  /** Bits that are kept of each value, 1 to 8. */
  readonly bits: number;
}

/** Most bits; more than a byte has would change nothing that a picture holds. */
const MOST = 8;

/**
 * Every value becomes the nearest of 2^bits levels from 0 to 1 (Xu et al. 2018): `round(x · (2^bits − 1)) / (2^bits − 1)`, halves to even.
 */
export const bitDepth = defineDefence<BitDepthOptions>({
  id: 'bit-depth',
  title: 'Fewer bits a value',
  source: 'https://arxiv.org/abs/1704.01155',
  use: 'Costs little accuracy down to 4 bits, to 1 bit on black and white digits. Its steps have no gradient, which stops attacks that do not know it, and no others.',
  random: false,
  defaults: { bits: 4 },
  check(options) {
    wholeFrom(options, 'bits', 1);
    if (options.bits > MOST)
      throw new GlacisError('option/invalid', `bits: expected at most ${MOST}, got ${options.bits}`);
  },
  apply(draft, x, _form, { bits }) {
    const levels = draft.number(2 ** bits - 1);
    return draft.node('Div', [draft.node('Round', [draft.node('Mul', [x, levels])]), levels]);
  },
});

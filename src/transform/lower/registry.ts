import { attention } from './attention/attention.ts';
import { contribAttention } from './attention/contrib.ts';
import { rotary } from './attention/rotary.ts';
import { fusedActivations } from './fused/activation.ts';
import { fusedNormalizations } from './fused/normalization.ts';
import { fusedProducts } from './fused/product.ts';
import { renamed } from './fused/renamed.ts';
import { geluPattern } from './gelu-pattern.ts';
import { pooledConvolution } from './pooled-convolution.ts';
import { between } from './quantised/between.ts';
import { linear } from './quantised/linear.ts';
import { mixed } from './quantised/mixed.ts';
import { matmulNBits } from './quantised/nbits.ts';
import { products } from './quantised/product.ts';
import { gru } from './recurrent/gru.ts';
import { lstm } from './recurrent/lstm.ts';
import { quantisedLstm } from './recurrent/quantised-lstm.ts';
import { rnn } from './recurrent/rnn.ts';
import type { LowerRule } from './rule.ts';
import { winogradConvolution } from './winograd-convolution.ts';

/** Operators that are written as primitives before a gradient is taken. */
export const LOWERINGS: readonly LowerRule[] = [
  ...[attention, ...contribAttention, ...rotary],
  geluPattern,
  pooledConvolution,
  winogradConvolution,
  ...[...fusedActivations, ...fusedNormalizations, ...fusedProducts, ...renamed],
  ...[gru, lstm, quantisedLstm, rnn],
  ...[...between, ...linear, ...mixed, matmulNBits, ...products],
];

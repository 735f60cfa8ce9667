import { pooledConvolution } from './pooled-convolution.ts';
import { gru } from './recurrent/gru.ts';
import { lstm } from './recurrent/lstm.ts';
import { rnn } from './recurrent/rnn.ts';
import type { LowerRule } from './rule.ts';

/** Operators that are written as primitives before a gradient is taken. */
export const LOWERINGS: readonly LowerRule[] = [gru, lstm, pooledConvolution, rnn];

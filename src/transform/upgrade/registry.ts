import type { LowerRule } from '../lower/rule.ts';
import { axes } from './axes.ts';
import { batchNormalization, groupNormalization } from './batch-normalization.ts';
import { clip } from './clip.ts';
import { dft } from './dft.ts';
import { dropout } from './dropout.ts';
import { pad } from './pad.ts';
import { renamed } from './renamed.ts';
import { resize, resize10, upsample } from './resize.ts';
import { slice, split } from './slice.ts';
import { softmax } from './softmax.ts';
import { topK } from './top-k.ts';

/** Operators of old opsets in the form of the build opset. */
export const UPGRADES: readonly LowerRule[] = [
  ...axes,
  batchNormalization,
  clip,
  dft,
  dropout,
  groupNormalization,
  pad,
  ...renamed,
  ...[resize, resize10, upsample],
  ...[slice, split],
  ...softmax,
  topK,
];

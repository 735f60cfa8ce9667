/** Graph → graph: static shapes, gradients, losses, layouts. */
export { DEFENCES_KEY, defend } from './defence/defend.ts';
export {
  DETECTOR_KEY,
  type DetectorRecord,
  SQUEEZE_DISTANCE,
  squeezedMean,
  withDetector,
  withThreshold,
} from './defence/detector.ts';
export type { PictureOptions } from './defence/pictures-of.ts';
export { describeDefence, type PlannedDefence, planDefences } from './defence/registry.ts';
export { floatTwin } from './float-twin.ts';
export { foldBatchNormalization } from './fold-batch-normalization.ts';
export type { GradientOptions } from './gradient/rule.ts';
export { type Cotangent, type VjpOptions, vjp } from './gradient/vjp.ts';
export { batchToGroupNormalization, type Rewritten } from './group-normalization-rewrite.ts';
export { type BlockedGraph, toBlockedLayout } from './layout/blocked.ts';
export { type FoundLogits, findLogits } from './logits.ts';
export {
  binaryCrossEntropy,
  binaryCrossEntropyGradient,
  crossEntropy,
  crossEntropyGradient,
  squaredError,
} from './loss.ts';
export { type Ops, opsOn } from './ops.ts';
export { type SpecialiseOptions, specialise, type Trace } from './specialise.ts';
export { scaleTemperature, TEMPERATURE_KEY } from './temperature.ts';

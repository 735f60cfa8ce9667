/** Graph → graph: static shapes, gradients, losses, layouts. */
export type { GradientOptions } from './gradient/rule.ts';
export { type Cotangent, type VjpOptions, vjp } from './gradient/vjp.ts';
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

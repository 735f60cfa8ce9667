import { GlacisError } from '../core/error.ts';
import { inlineFunctions } from '../onnx/functions.ts';
import { BUILD_OPSET } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { toFloat32 } from '../onnx/to-float32.ts';
import { ruleFor } from '../transform/gradient/registry.ts';
import { vjp } from '../transform/gradient/vjp.ts';
import { findLogits } from '../transform/logits.ts';
import { LOWERINGS } from '../transform/lower/registry.ts';
import { findLowering } from '../transform/lower/rule.ts';
import { specialise } from '../transform/specialise.ts';

/** How the gradient of an operator comes about. */
export type GradientWay = 'rule' | 'lowering' | 'stop' | 'none';

/** Operators whose results are integers, bools or shapes, or depend on no input: nothing passes through them. */
const STOPS = new Set([
  ...['And', 'ArgMax', 'ArgMin', 'BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor'],
  ...['Constant', 'ConstantOfShape', 'Equal', 'Greater', 'GreaterOrEqual', 'IsInf', 'IsNaN', 'Less'],
  ...['LessOrEqual', 'NonMaxSuppression', 'NonZero', 'Not', 'Or', 'RandomNormal', 'RandomUniform', 'Range'],
  ...['Shape', 'Size', 'Xor'],
]);

/** `rule`: written down; `lowering`: written as operators that have one; `stop`: none is needed; `none`: it is missing. */
export function gradientWay(domain: string, op: string, opset: number): GradientWay {
  if (domain === '' && STOPS.has(op)) return 'stop';
  if (findLowering(LOWERINGS, domain, op, opset) && !(domain === '' && ruleFor('', op, BUILD_OPSET)))
    return 'lowering';
  const known = ruleFor(domain, op, domain === '' ? Math.max(opset, BUILD_OPSET) : opset);
  return known ? 'rule' : 'none';
}

/** Whether an input's gradient can be built. */
export interface GradientVerdict {
  readonly verdict: 'yes' | 'no' | 'unknown';
  /** Why not, or what is missing to know. */
  readonly reason?: string;
  readonly input?: string;
  readonly output?: string;
  /** The final activation that attacks leave out. */
  readonly stripped?: string;
}

/** Tries to build the gradient of the model's only float output with respect to its only float input; nothing is run. */
export function tryGradient(model: Model): GradientVerdict {
  try {
    const plain = toFloat32(inlineFunctions(model), { float16: true }).model;
    const trace = specialise(plain, { batch: 2 });
    const inputs = [...trace.inputs].filter(([, v]) => v.dtype === 'float32');
    const [input] = inputs;
    if (!input || inputs.length > 1)
      return { verdict: 'unknown', reason: `${inputs.length} float inputs; attack one of them with --input` };
    const { logits, stripped, output } = findLogits(trace);
    vjp(trace.b, [{ value: logits, grad: trace.b.full(logits.dims, 1, logits.dtype) }], [input[1]]);
    return { verdict: 'yes', input: input[0], output, ...(stripped && { stripped }) };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError)) throw thrown;
    const sure = thrown.code === 'gradient/unsupported' || thrown.code === 'model/unsupported-operator';
    return { verdict: sure ? 'no' : 'unknown', reason: thrown.message };
  }
}

import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { BuiltNode, Value } from '../onnx/graph-builder.ts';
import type { Trace } from './specialise.ts';

/** The values that a loss is taken of, and how they were found. */
export interface FoundLogits {
  readonly logits: Value;
  /** The final activation that was left out, if any. */
  readonly stripped: 'Softmax' | 'LogSoftmax' | 'Sigmoid' | undefined;
  /** Name of the model's output. */
  readonly output: string;
}

/** Operators that only change shape or type and may stand between the activation and the output. */
const PASSING = new Set(['Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Reshape', 'Flatten']);

/**
 * The logits of a model's output (`name`, or its only floating-point one). A final Softmax, LogSoftmax or Sigmoid is left out,
 * because gradients through a saturated activation vanish (gradient masking); the logits have the output's shape and type.
 * Errors: `option/invalid` when the output does not exist or several could be meant; `model/unsupported-task` when it is not
 * floating-point.
 */
export function findLogits(trace: Pick<Trace, 'b' | 'outputs'>, name?: string): FoundLogits {
  const output = name ?? onlyOutput(trace);
  let value = trace.outputs.get(output);
  if (!value)
    throw new GlacisError(
      'option/invalid',
      `--output: expected one of ${[...trace.outputs.keys()].join(', ')}, got '${output}'`,
    );
  if (!isFloat(value.dtype))
    throw new GlacisError(
      'model/unsupported-task',
      `output ${output}: expected floating-point scores, got ${value.dtype}`,
    );
  for (let depth = 0; depth < 8; depth++) {
    const producer = trace.b.builder.producer(value);
    if (!producer) break;
    const { op, domain } = producer.node;
    if (domain !== '') break;
    const source = producer.inputs[0];
    if (!source) break;
    if (op === 'Sigmoid' || ((op === 'Softmax' || op === 'LogSoftmax') && isOverClasses(producer))) {
      // In the output's own shape and type, whatever stands between.
      const { dims, dtype } = trace.outputs.get(output)!;
      return { logits: trace.b.cast(trace.b.reshape(source, dims), dtype), stripped: op, output };
    }
    if (!PASSING.has(op)) break;
    value = source;
  }
  return { logits: trace.outputs.get(output)!, stripped: undefined, output };
}

/** Whether a softmax goes over the last axis, or over the only axis behind the batch that has more than one element. */
function isOverClasses({ node, inputs }: BuiltNode): boolean {
  const { dims } = inputs[0]!;
  const axis = attributesOf(node).int('axis', -1);
  const at = axis < 0 ? axis + dims.length : axis;
  return at === dims.length - 1 || dims.every((d, i) => i === 0 || i === at || d === 1);
}

function onlyOutput(trace: Pick<Trace, 'outputs'>): string {
  const floats = [...trace.outputs].filter(([, v]) => isFloat(v.dtype)).map(([name]) => name);
  if (floats.length === 1) return floats[0]!;
  if (floats.length === 0)
    throw new GlacisError('model/unsupported-task', 'model: expected a floating-point output, found none');
  throw new GlacisError(
    'option/invalid',
    `model: several outputs could be attacked (${floats.join(', ')}); choose one with --output`,
  );
}

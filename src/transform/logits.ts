import { GlacisError } from '../core/error.ts';
import { attributesOf } from '../onnx/attributes.ts';
import type { Value } from '../onnx/graph-builder.ts';
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
 * because gradients through a saturated activation vanish (gradient masking).
 * Errors: `option/invalid` when the output does not exist or several could be meant.
 */
export function findLogits(trace: Trace, name?: string): FoundLogits {
  const output = name ?? onlyOutput(trace);
  let value = trace.outputs.get(output);
  if (!value)
    throw new GlacisError(
      'option/invalid',
      `--output: expected one of ${[...trace.outputs.keys()].join(', ')}, got '${output}'`,
    );
  for (let depth = 0; depth < 8; depth++) {
    const producer = trace.b.builder.producer(value);
    if (!producer) break;
    const { op, domain } = producer.node;
    if (domain !== '') break;
    const source = producer.inputs[0];
    if (!source) break;
    if (op === 'Sigmoid') return { logits: source, stripped: op, output };
    if (op === 'Softmax' || op === 'LogSoftmax') {
      const axis = attributesOf(producer.node).int('axis', -1);
      const last = source.dims.length - 1;
      if (axis !== -1 && axis !== last) break;
      return { logits: source, stripped: op, output };
    }
    if (!PASSING.has(op)) break;
    value = source;
  }
  return { logits: trace.outputs.get(output)!, stripped: undefined, output };
}

function onlyOutput(trace: Trace): string {
  const floats = [...trace.outputs]
    .filter(([, v]) => v.dtype.startsWith('float') || v.dtype === 'bfloat16')
    .map(([name]) => name);
  if (floats.length === 1) return floats[0]!;
  if (floats.length === 0)
    throw new GlacisError('model/unsupported-task', 'model: expected a floating-point output, found none');
  throw new GlacisError(
    'option/invalid',
    `model: several outputs could be attacked (${floats.join(', ')}); choose one with --output`,
  );
}

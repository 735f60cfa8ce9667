import { GlacisError } from '../../core/error.ts';
import { floatsOf, floatTensor, isDatatype, isFloatDatatype, type Tensor } from '../../oip/index.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { GuardedInput } from '../guard.ts';
import type { Scores } from '../output-guard.ts';
import type { Classifier, ServedModel } from '../served-model.ts';

/** Both classifiers, where the second can be asked what the first is asked. Errors: `option/invalid`. */
export function suited(first: ServedModel, second: ServedModel): readonly [Classifier, Classifier] {
  const [one, two] = [first.classifier, second.classifier];
  const wrong = (expected: string, got: string) =>
    new GlacisError('option/invalid', `verify: expected ${expected}, got ${got}`);
  if (one === undefined || two === undefined)
    throw wrong('two classifiers', `${(one === undefined ? first : second).name}, which is none`);
  if (one.classes !== two.classes)
    throw wrong(`${second.name} to have ${one.classes} classes`, `${two.classes}`);
  if (sizeOf(one) !== sizeOf(two))
    throw wrong(`${second.name} to take samples of ${sizeOf(one)} elements`, `${sizeOf(two)}`);
  return [one, two];
}

function sizeOf({ sampleDims }: Classifier): number {
  return elementCount(sampleDims);
}

/** The call's inputs under the second model's name, type and shape. Errors: `data/mismatch`. */
export function inputFor(call: GuardedInput, second: ServedModel, { input, sampleDims }: Classifier): Tensor {
  const floats = call.floats();
  if (floats === undefined)
    throw new GlacisError('data/mismatch', 'verify: expected float inputs, got others');
  const datatype = second.metadata.inputs.find(({ name }) => name === input)?.datatype ?? 'FP32';
  const type = isDatatype(datatype) && isFloatDatatype(datatype) ? datatype : 'FP32';
  return floatTensor(input, type, [call.n, ...sampleDims], floats);
}

/** The scores among a model's outputs. Errors: `data/mismatch`, also for NaN and +∞: what cannot be compared does not agree. */
export function scoresFrom(
  outputs: readonly Tensor[],
  { output, classes, gives }: Classifier,
  n: number,
): Scores {
  const tensor = outputs.find(({ name }) => name === output);
  const values = tensor === undefined ? new Float32Array(0) : floatsOf(tensor);
  if (values.length !== n * classes)
    throw new GlacisError('data/mismatch', `verify: expected ${n} × ${classes} scores, got ${values.length}`);
  if (values.some((value) => !(value < Number.POSITIVE_INFINITY)))
    throw new GlacisError('data/mismatch', 'verify: expected finite scores, got others');
  return { values, n, classes, gives };
}

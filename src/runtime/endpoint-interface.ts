import { GlacisError } from '../core/error.ts';
import { isDatatype, isFloatDatatype } from '../oip/datatype.ts';
import type { ModelMetadata, TensorMetadata } from '../oip/metadata.ts';
import { quoted } from '../onnx/problems.ts';

/** How an endpoint's model is asked. */
export interface EndpointInterface {
  readonly input: string;
  readonly datatype: 'FP16' | 'BF16' | 'FP32' | 'FP64';
  readonly sampleDims: readonly number[];
  /** The only number of samples in one request, where the model fixes it. */
  readonly fixedBatch: number | undefined;
  /** `undefined` where the server does not say which outputs there are. */
  readonly output: string | undefined;
}

/** What the user says about an endpoint's model. */
export interface InterfaceChoice {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly sampleDims?: readonly number[] | undefined;
}

/**
 * Finds the one float input, its shape `[batch, …sample]`, and the output. A server that describes no inputs (custom models of KServe and
 * MLServer) needs `input` and `sampleDims`; float32 is sent then.
 * Errors: `option/invalid` where a choice is missing or does not exist, `model/unsupported-task`, `model/dynamic-shape`.
 */
export function interfaceFrom(
  metadata: ModelMetadata,
  choice: InterfaceChoice,
  where: string,
): EndpointInterface {
  const output = outputFrom(metadata.outputs, choice.output, where);
  if (metadata.inputs.length === 0) {
    const { input, sampleDims } = choice;
    if (input === undefined || sampleDims === undefined)
      throw new GlacisError(
        'option/invalid',
        `${where}: the server does not describe the model's inputs; give the input's name and the shape of one sample`,
      );
    return { input, datatype: 'FP32', sampleDims, fixedBatch: undefined, output };
  }
  const { name, datatype, shape } = inputFrom(metadata.inputs, choice.input, where);
  const place = `${where}: input ${quoted(name)}`;
  if (!isDatatype(datatype) || !isFloatDatatype(datatype))
    throw new GlacisError(
      'model/unsupported-task',
      `${place}: expected a float type, got ${quoted(datatype)}; an adapter can turn floats into what the endpoint takes`,
    );
  const [batch, ...sample] = shape;
  if (batch === undefined || batch === 0)
    throw new GlacisError(
      'model/unsupported-task',
      `${place}: expected [batch, …], got [${shape.join(', ')}]`,
    );
  const sampleDims = merged(sample, choice.sampleDims, shape, place);
  return { input: name, datatype, sampleDims, fixedBatch: batch === -1 ? undefined : batch, output };
}

function inputFrom(
  inputs: readonly TensorMetadata[],
  wanted: string | undefined,
  where: string,
): TensorMetadata {
  const names = inputs.map(({ name }) => quoted(name)).join(', ');
  if (wanted !== undefined) {
    const chosen = inputs.find(({ name }) => name === wanted);
    if (chosen) return chosen;
    throw new GlacisError('option/invalid', `${where}: expected one of the inputs ${names}, got '${wanted}'`);
  }
  const floats = inputs.filter(({ datatype }) => isDatatype(datatype) && isFloatDatatype(datatype));
  const [chosen, ...others] = floats.length === 0 ? inputs : floats;
  if (chosen && others.length === 0) return chosen;
  throw new GlacisError(
    'option/invalid',
    `${where}: several inputs (${names}); choose the one that is attacked. The others are not sent: a model that needs them needs an adapter`,
  );
}

function outputFrom(
  outputs: readonly TensorMetadata[],
  wanted: string | undefined,
  where: string,
): string | undefined {
  if (outputs.length === 0) return wanted;
  const names = outputs.map(({ name }) => quoted(name)).join(', ');
  if (wanted !== undefined) {
    if (outputs.some(({ name }) => name === wanted)) return wanted;
    throw new GlacisError(
      'option/invalid',
      `${where}: expected one of the outputs ${names}, got '${wanted}'`,
    );
  }
  if (outputs.length === 1) return outputs[0]!.name;
  throw new GlacisError('option/invalid', `${where}: several outputs (${names}); choose one`);
}

/** The sample's shape with the sizes that the model leaves open taken from the user. */
function merged(
  sample: readonly number[],
  given: readonly number[] | undefined,
  shape: readonly number[],
  place: string,
): readonly number[] {
  if (given && (given.length !== sample.length || sample.some((size, i) => size !== -1 && size !== given[i])))
    throw new GlacisError(
      'option/invalid',
      `${place}: expected the shape of a sample to fit [${shape.join(', ')}] without its first dimension, got [${given.join(', ')}]`,
    );
  const dims = given ?? sample;
  if (dims.some((size) => size < 1))
    throw new GlacisError(
      'model/dynamic-shape',
      `${place}: expected sizes in [${shape.join(', ')}] behind the batch, got open ones; give the shape of one sample`,
    );
  return dims;
}

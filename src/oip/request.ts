import { quoted } from '../onnx/problems.ts';
import { fault, kindOf, type Source } from './fault.ts';
import {
  field,
  listFrom,
  nameFrom,
  objectFrom,
  type Parameter,
  type Parameters,
  parametersFrom,
  takeParameter,
} from './json.ts';
import { type Incoming, messageOf, type Outgoing, partsOf, tensorsFrom, withEntries } from './message.ts';
import type { Tensor } from './tensor.ts';

/** An output that a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  /** Whether it should come in binary form. */
  readonly binary: boolean;
  readonly parameters?: Parameters;
}

/** An inference request. */
export interface InferRequest {
  /** Comes back in the response. */
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly Tensor[];
  /** All outputs without. */
  readonly outputs?: readonly RequestedOutput[];
  /** Whether outputs that are not named should come in binary form. */
  readonly binaryOutput: boolean;
}

const REQUEST: Source = { where: 'request', code: 'request/invalid' };
const MAX_OUTPUTS = 1024;

/**
 * Reads the body of `POST /v2/models/NAME[/versions/V]/infer`, JSON or with the binary tensor data extension. Keys that the
 * protocol does not have are ignored. `parameters` come without `binary_data_output`, `binary_data` and `binary_data_size`, which
 * the fields say. Errors: `request/invalid`.
 */
export function decodeInferRequest(message: Incoming): InferRequest {
  const parts = partsOf(message, REQUEST);
  const id = field(parts.json, 'id');
  const all = takeParameter(parametersFrom(parts.json, REQUEST, ''), 'binary_data_output');
  const binaryOutput = flag(all.value, 'binary_data_output') ?? false;
  const wished = field(parts.json, 'outputs');
  return {
    ...(id !== undefined && { id: nameFrom(id, REQUEST, 'id') }),
    parameters: all.rest,
    inputs: tensorsFrom(parts, 'inputs', REQUEST),
    ...(wished !== undefined && { outputs: outputsFrom(wished, binaryOutput) }),
    binaryOutput,
  };
}

function outputsFrom(value: unknown, byDefault: boolean): readonly RequestedOutput[] {
  const outputs = listFrom(value, REQUEST, 'outputs', MAX_OUTPUTS).map((entry, i) => {
    const object = objectFrom(entry, REQUEST, `outputs[${i}]`);
    const name = nameFrom(field(object, 'name'), REQUEST, `outputs[${i}].name`);
    const place = `outputs ${quoted(name)} `;
    const taken = takeParameter(parametersFrom(object, REQUEST, place), 'binary_data');
    return { name, binary: flag(taken.value, `${place}binary_data`) ?? byDefault, parameters: taken.rest };
  });
  if (new Set(outputs.map(({ name }) => name)).size < outputs.length)
    throw fault(REQUEST, 'outputs', 'each name once', 'one twice');
  return outputs;
}

function flag(value: Parameter | undefined, place: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw fault(REQUEST, place, 'true or false', kindOf(value));
}

/**
 * Writes an inference request; with `binary` its inputs go in binary form.
 * Errors: `data/mismatch`, `data/not-finite`, `option/invalid` for inputs that cannot be sent that way.
 */
export function encodeInferRequest(request: InferRequest, options: { readonly binary: boolean }): Outgoing {
  const { id, parameters, inputs, outputs, binaryOutput } = request;
  const fields = {
    ...(id !== undefined && { id }),
    ...withEntries({ ...parameters, ...(binaryOutput && { binary_data_output: true }) }),
    ...(outputs && {
      outputs: outputs.map(({ name, binary, parameters }) => ({
        name,
        // Triton does not look at binary_data_output where outputs are named, whatever its specification says.
        ...withEntries({ ...parameters, ...((binary || binaryOutput) && { binary_data: binary }) }),
      })),
    }),
  };
  return messageOf(fields, 'inputs', inputs, () => options.binary);
}

/** Whether a request wants the output `name` in binary form. */
export function wantsBinary({ outputs, binaryOutput }: InferRequest, name: string): boolean {
  return outputs?.find((output) => output.name === name)?.binary ?? binaryOutput;
}

import { floatsOf } from '../../../oip/tensor.ts';
import { elementCount } from '../../../onnx/tensor.ts';
import type { Sighting } from '../../sighting.ts';
import type { EventBody } from './event-body.ts';
import { classesIn, classOf } from './likeliest-classes.ts';
import { isLoose } from './loose.ts';
import { mismatch } from './mismatch.ts';
import { type InputSamples, MOST_SAMPLES, type SampleSketcher, sampleDimsOf } from './tensor-samples.ts';

/** Arrays in an array that are opened. */
const MOST_DEPTH = 8;

/**
 * Sketches of a request's first input: `inputs` of the second protocol, in JSON or in binary form, `instances` of the first. Texts (`BYTES`) are counted and not sketched. Throws `data/mismatch` for tensors that are none.
 */
export function samplesOf({ json, tensors }: EventBody, sketcher: SampleSketcher): InputSamples {
  if (tensors !== undefined) {
    const [tensor] = tensors;
    if (tensor === undefined || tensor.shape.length === 0) return { sketch: undefined, n: undefined };
    const { shape, datatype } = tensor;
    const n = shape[0]!;
    if (datatype === 'BYTES') return { sketch: undefined, n };
    return { sketch: sketcher.sketch(floatsOf(tensor), n, sampleDimsOf(shape), datatype), n };
  }
  if (Array.isArray(json.instances)) return fromRows(json.instances, sketcher);
  const tensor = firstOf(json.inputs);
  if (tensor === undefined || tensor.shape.length === 0) return { sketch: undefined, n: undefined };
  const { shape, data, datatype } = tensor;
  const n = shape[0]!;
  const isWhole = data !== undefined && elementCount(shape) === data.length;
  const numbers = isWhole && shape.length > 1 ? numbersIn(data) : undefined;
  return { sketch: numbers && sketcher.sketch(numbers, n, sampleDimsOf(shape), datatype), n };
}

/** The likeliest class of each sample by a response: of scores a row each, or of whole numbers, which are classes. Throws `data/mismatch` for tensors or answers that are none. */
export function answersOf({ json, tensors }: EventBody): Sighting['top'] {
  if (tensors !== undefined) {
    const [tensor] = tensors;
    if (tensor === undefined || tensor.shape.length === 0 || tensor.datatype === 'BYTES') return undefined;
    return classesIn(floatsOf(tensor), tensor.shape[0]!);
  }
  if (Array.isArray(json.predictions)) return json.predictions.slice(0, MOST_SAMPLES).map(classOf);
  const tensor = firstOf(json.outputs);
  if (tensor?.data === undefined || tensor.shape.length === 0) return undefined;
  return classesIn(tensor.data, tensor.shape[0]!);
}

function fromRows(rows: readonly unknown[], sketcher: SampleSketcher): InputSamples {
  const n = rows.length;
  const flat = rows.map((row) => (Array.isArray(row) ? (row.flat(MOST_DEPTH) as unknown[]) : [row]));
  const width = flat[0]?.length ?? 0;
  const isEven = width > 0 && flat.every((row) => row.length === width);
  const numbers = isEven ? numbersIn(flat.flat()) : undefined;
  const dims = dimsOf(rows[0]);
  const isWhole = numbers !== undefined && elementCount(dims) === width;
  return { sketch: isWhole ? sketcher.sketch(numbers, n, dims, undefined) : undefined, n };
}

/** Lengths of nested arrays, from the first of each; what lies deeper than {@link MOST_DEPTH} is no number. */
function dimsOf(sample: unknown): readonly number[] {
  const dims: number[] = [];
  let at = sample;
  while (Array.isArray(at) && dims.length <= MOST_DEPTH) {
    dims.push(at.length);
    at = at[0];
  }
  return dims.length === 0 ? [1] : dims;
}

/** Numbers, with NaN for what JSON has no form for; undefined where something else is among them. */
function numbersIn(data: readonly unknown[]): readonly number[] | undefined {
  if (!data.every((value) => typeof value === 'number' || value === null)) return undefined;
  return data.map((value) => (value === null ? Number.NaN : (value as number)));
}

interface JsonTensor {
  readonly shape: readonly number[];
  readonly datatype: string | undefined;
  readonly data: readonly unknown[] | undefined;
}

function firstOf(tensors: unknown): JsonTensor | undefined {
  if (tensors === undefined) return undefined;
  const tensor = Array.isArray(tensors) ? tensors[0] : undefined;
  if (!isLoose(tensor) || !Array.isArray(tensor.shape) || !tensor.shape.every(isSize))
    throw mismatch('expected tensors with a shape, got something else');
  return {
    shape: tensor.shape as number[],
    datatype: typeof tensor.datatype === 'string' ? tensor.datatype : undefined,
    data: Array.isArray(tensor.data) ? (tensor.data.flat(MOST_DEPTH) as unknown[]) : undefined,
  };
}

const isSize = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

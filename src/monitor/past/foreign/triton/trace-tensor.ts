import { isDatatype } from '../../../../oip/datatype.ts';
import { elementsOf } from '../../../../oip/shape.ts';
import { quoted } from '../../../../onnx/problems.ts';
import { elementCount } from '../../../../onnx/tensor.ts';
import type { Sighting } from '../../../sighting.ts';
import { classesIn } from '../likeliest-classes.ts';
import { isLoose } from '../loose.ts';
import { mismatch } from '../mismatch.ts';
import { type InputSamples, MOST_SAMPLES, type SampleSketcher, sampleDimsOf } from '../tensor-samples.ts';

const [COMMA, MOST_RANK] = [0x2c, 32];
/** Types of which the trace says no numbers: texts, and 16-bit floats, whose data Triton leaves out. */
const WITHOUT_NUMBERS = ['BYTES', 'FP16', 'BF16'];

/** A tensor as a trace shows it. */
export interface TraceTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Numbers with commas between them, or bytes. */
  readonly data: Buffer;
}

/** A tensor of a trace: `{"name":"x","data":"0.1,0.2","shape":"1,2","dtype":"FP32"}`, whose data were taken out. Errors: `data/mismatch`. */
export function traceTensor(value: unknown, data: Buffer | undefined): TraceTensor {
  if (!isLoose(value) || data === undefined)
    throw mismatch('expected a tensor with data and then its shape, got something else');
  const { dtype, shape } = value;
  if (typeof dtype !== 'string' || !isDatatype(dtype))
    throw mismatch(
      `expected a dtype such as FP32, got ${typeof dtype === 'string' ? quoted(dtype) : 'none'}`,
    );
  const sizes = typeof shape === 'string' && shape !== '' ? shape.split(',', MOST_RANK + 1) : [];
  if (
    typeof shape !== 'string' ||
    sizes.length > MOST_RANK ||
    !sizes.every((size) => /^\d{1,15}$/.test(size))
  )
    throw mismatch(
      `expected a shape of at most ${MOST_RANK} sizes such as "1,28,28", got ${typeof shape === 'string' ? quoted(shape) : 'none'}`,
    );
  return { datatype: dtype, shape: sizes.map(Number), data };
}

/** What monitors get of an input, whose first axis is the batch. Errors: `data/mismatch` for data that are not those of type and shape. */
export function tensorSamples(tensor: TraceTensor, sketcher: SampleSketcher): InputSamples {
  const { shape, datatype } = tensor;
  const n = shape[0];
  if (n === undefined || WITHOUT_NUMBERS.includes(datatype)) return { sketch: undefined, n };
  const dims = sampleDimsOf(shape);
  const numbers = numbersOf(tensor, elementCount(dims) * Math.min(n, MOST_SAMPLES));
  return { sketch: sketcher.sketch(numbers, n, dims, datatype), n };
}

/** The likeliest class of each sample by an output. Errors: as of {@link tensorSamples}. */
export function tensorClasses(tensor: TraceTensor): Sighting['top'] {
  const { shape, datatype } = tensor;
  const n = shape[0];
  if (n === undefined || n === 0 || WITHOUT_NUMBERS.includes(datatype)) return undefined;
  const rows = Math.min(n, MOST_SAMPLES);
  return classesIn(numbersOf(tensor, elementCount(sampleDimsOf(shape)) * rows), rows);
}

/** The first `most` elements. All of them are counted before anything is allocated. */
function numbersOf({ datatype, shape, data }: TraceTensor, most: number): Float64Array {
  const count = elementsOf(shape);
  const unfit = (got: string) =>
    mismatch(`expected ${count} numbers for ${datatype} [${shape.join(', ')}], got ${got}`);
  const isSmall = datatype === 'UINT8' || datatype === 'INT8';
  if (isSmall && areBytes(data, count)) {
    const view = datatype === 'INT8' ? new Int8Array(data) : data;
    return Float64Array.from({ length: Math.min(most, count) }, (_, i) => view[2 * i]!);
  }
  let commas = 0;
  for (const byte of data) if (byte === COMMA) commas++;
  const found = data.length === 0 ? 0 : commas + 1;
  if (found !== count) throw unfit(`${found}`);
  const numbers = new Float64Array(Math.min(most, count));
  const isFloat = datatype === 'FP32' || datatype === 'FP64';
  for (let i = 0, from = 0; i < numbers.length; i++) {
    const next = data.indexOf(COMMA, from);
    const end = next < 0 ? data.length : next;
    const number = end - from > 32 ? undefined : numberIn(data.toString('latin1', from, end), isFloat);
    if (number === undefined) throw unfit('something else');
    numbers[i] = number;
    from = end + 1;
  }
  return numbers;
}

/** Whether the data are one byte an element, as Triton streams 8-bit integers: one digit an element is taken for such. */
function areBytes(data: Buffer, count: number): boolean {
  if (count === 0 || data.length !== 2 * count - 1) return false;
  for (let i = 1; i < data.length; i += 2) if (data[i] !== COMMA) return false;
  return true;
}

/** A number as C++ streams write it. */
function numberIn(text: string, isFloat: boolean): number | undefined {
  if (/^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(text)) return Number(text);
  const word = isFloat ? /^(-?)(nan|inf)$/.exec(text) : null;
  if (word === null) return undefined;
  if (word[2] === 'nan') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

import { GlacisError } from '../core/error.ts';
import { isFloatDatatype } from '../oip/datatype.ts';
import type { InferResponse } from '../oip/response.ts';
import { floatsOf, type Tensor } from '../oip/tensor.ts';
import { quoted } from '../onnx/problems.ts';

/** What an answer must be. */
export interface Expected {
  /** `undefined`: the only output. */
  readonly output: string | undefined;
  readonly rows: number;
  /** Numbers a row; `undefined` while unknown. */
  readonly width: number | undefined;
  /** Class numbers are answered, of this many classes. */
  readonly labels: number | undefined;
  readonly id: string;
}

/** An answer that was checked. */
export interface Answer {
  readonly output: string;
  /** `[rows, classes]`, all finite. */
  readonly values: Float32Array;
  readonly classes: number;
}

/**
 * The rows of scores in an answer; class numbers become rows of zeros with a one.
 * Errors: `endpoint/bad-answer`; `option/invalid` where the answer is in order, but the user must say more.
 */
export function answerFrom(response: InferResponse, expected: Expected, where: string): Answer {
  const { rows, labels, id } = expected;
  // An empty id is as good as none; another one is an answer to another question.
  if (response.id && response.id !== id) throw bad(where, `the answer to request ${id}`, quoted(response.id));
  const tensor = outputFrom(response.outputs, expected.output, where);
  const place = `${where}: output ${quoted(tensor.name)}`;
  const { datatype, shape } = tensor;
  if (datatype === 'BYTES') throw bad(place, 'numbers', 'BYTES (text); an adapter can read it');
  const shown = `[${shape.join(', ')}]`;
  const width = tensor.data.length / rows;
  if (shape[0] !== rows || tensor.data.length === 0 || (expected.width ?? width) !== width)
    throw bad(place, `[${rows}, ${expected.width ?? 'classes'}]`, shown);
  if (shape.slice(2).some((size) => size !== 1))
    throw new GlacisError(
      'model/unsupported-task',
      `${place}: expected [batch, classes], got ${shown}; detection, segmentation and text models need an adapter`,
    );
  const numbers = floatsOf(tensor);
  const broken = numbers.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0)
    throw bad(place, 'finite numbers', `NaN or an infinity in row ${Math.floor(broken / width)}`);
  if (labels !== undefined)
    return { output: tensor.name, values: oneHot(numbers, shown, rows, labels, place), classes: labels };
  if (width === 1 && !isFloatDatatype(datatype))
    throw new GlacisError(
      'option/invalid',
      `${place}: answers with class numbers (${datatype}); say how many classes there are (labels)`,
    );
  return { output: tensor.name, values: numbers, classes: width };
}

function outputFrom(outputs: readonly Tensor[], wanted: string | undefined, where: string): Tensor {
  const names = outputs.map(({ name }) => quoted(name)).join(', ') || 'none';
  if (wanted === undefined && outputs.length > 1)
    throw new GlacisError('option/invalid', `${where}: several outputs (${names}); choose one`);
  const chosen = wanted === undefined ? outputs[0] : outputs.find(({ name }) => name === wanted);
  if (!chosen) throw bad(where, wanted === undefined ? 'an output' : `output ${quoted(wanted)}`, names);
  return chosen;
}

function oneHot(
  numbers: Float32Array,
  shown: string,
  rows: number,
  labels: number,
  place: string,
): Float32Array {
  if (numbers.length !== rows) throw bad(place, `[${rows}], a class number each`, shown);
  const values = new Float32Array(rows * labels);
  for (const [row, label] of numbers.entries()) {
    if (!Number.isInteger(label) || label < 0 || label >= labels)
      throw bad(place, `class numbers from 0 to ${labels - 1}`, `another number in row ${row}`);
    values[row * labels + label] = 1;
  }
  return values;
}

function bad(where: string, expected: string, got: string): GlacisError {
  return new GlacisError('endpoint/bad-answer', `${where}: expected ${expected}, got ${got}`);
}

import { GlacisError } from '../core/error.ts';
import { ARRAYS, type DataOf, type Datatype, isBinaryOnly } from './datatype.ts';
import { fault, kindOf, type Source } from './fault.ts';
import { elementsOf } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** Least and greatest value that is read from JSON. 64 bits: what a JSON number says exactly, ±(2⁵³ − 1). */
const INTEGERS = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

/**
 * The elements that `value`, a tensor's `data`, lists: flat, or nested exactly as `shape` says; nothing in between. Refused are
 * 16-bit floats, which have no JSON form, numbers that the type does not hold, and 64-bit integers beyond 2⁵³ − 1, which a
 * JSON parser rounds. Allocates no more than the list is long.
 */
export function dataFromJson<D extends Datatype>(
  datatype: D,
  shape: readonly number[],
  value: unknown,
  source: Source,
  place: string,
): DataOf[D] {
  if (isBinaryOnly(datatype))
    throw fault(source, place, `${datatype} in binary form (JSON has none for it)`, 'JSON');
  if (!Array.isArray(value)) throw fault(source, place, 'a list', kindOf(value));
  const rows = shape.length > 1 && Array.isArray(value[0]) ? rowsOf(value, shape, source, place) : [value];
  const count = elementsOf(shape);
  // Nested lists were held against the shape.
  const found = rows.length === 1 ? rows[0]!.length : count;
  if (found !== count) throw fault(source, place, `${count} elements for [${shape.join(', ')}]`, `${found}`);
  return elementsFrom(datatype, rows, count, source, place) as DataOf[D];
}

/** The innermost lists, in order; lists of just the lengths that the shape says. */
function rowsOf(
  value: readonly unknown[],
  shape: readonly number[],
  source: Source,
  place: string,
): readonly (readonly unknown[])[] {
  const rows: (readonly unknown[])[] = [];
  // As deep as the shape, never as deep as the attacker's lists.
  const walk = (list: unknown, level: number): void => {
    if (!Array.isArray(list) || list.length !== shape[level])
      throw fault(source, place, `a list of ${shape[level]} at depth ${level + 1}`, kindOf(list));
    if (level === shape.length - 1) rows.push(list);
    else for (const inner of list) walk(inner, level + 1);
  };
  walk(value, 0);
  return rows;
}

function elementsFrom(
  datatype: Exclude<Datatype, 'FP16' | 'BF16'>,
  rows: readonly (readonly unknown[])[],
  count: number,
  source: Source,
  place: string,
): DataOf[Datatype] {
  const bad = (i: number, element: unknown, expected: string): never => {
    const shown = typeof element === 'number' ? 'another number' : kindOf(element);
    throw fault(source, `${place}, element ${i}`, expected, shown);
  };
  let at = 0;
  if (datatype === 'BYTES') {
    const encoder = new TextEncoder();
    return rows
      .flat()
      .map((element, i) =>
        typeof element === 'string' && element.isWellFormed()
          ? encoder.encode(element)
          : bad(i, element, 'text'),
      );
  }
  if (datatype === 'BOOL') {
    const data = new Uint8Array(count);
    for (const row of rows)
      for (const element of row) {
        if (typeof element !== 'boolean') bad(at, element, 'true or false');
        data[at++] = Number(element);
      }
    return data;
  }
  if (datatype === 'FP32' || datatype === 'FP64') {
    const data = new ARRAYS[datatype](count);
    for (const row of rows)
      for (let i = 0; i < row.length; i++, at++) {
        const element = row[i];
        data[at] = typeof element === 'number' ? element : Number.NaN;
        if (!Number.isFinite(data[at])) bad(at, element, `a number that ${datatype} holds`);
      }
    return data;
  }
  const [least, greatest] = INTEGERS[datatype];
  const data = new ARRAYS[datatype](count);
  const big = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (const row of rows)
    for (let i = 0; i < row.length; i++, at++) {
      const element = row[i];
      if (!Number.isInteger(element) || (element as number) < least || (element as number) > greatest)
        bad(at, element, `a whole number from ${least} to ${greatest}`);
      if (big) data[at] = BigInt(element as number);
      else data[at] = element as number;
    }
  return data;
}

/** Elements beyond which a tensor is not written as JSON: the text would be longer than a string can be. */
const MAX_JSON_ELEMENTS = 2 ** 24;

/**
 * A tensor's `data` as flat JSON; 64-bit integers with all their digits, whatever a reader makes of them.
 * Errors: `option/invalid` for 16-bit floats, `data/not-finite` for NaN and infinities, `data/mismatch` for `BYTES` that are
 * not UTF-8 and for more than 2²⁴ elements: send these in binary form.
 */
export function dataToJson(tensor: Tensor): string {
  const { name, datatype, data } = tensor;
  if (isBinaryOnly(datatype))
    throw new GlacisError(
      'option/invalid',
      `tensor ${name}: expected the binary format for ${datatype}, got JSON, which has no form for it`,
    );
  if (data.length > MAX_JSON_ELEMENTS)
    throw new GlacisError(
      'data/mismatch',
      `tensor ${name}: expected at most ${MAX_JSON_ELEMENTS} elements in JSON, got ${data.length}; use the binary format or fewer samples`,
    );
  switch (tensor.datatype) {
    case 'FP32':
    case 'FP64': {
      const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new GlacisError(
          'data/not-finite',
          `tensor ${name}: element ${bad} is not finite: JSON has no form for it`,
        );
      return `[${Array.from(tensor.data, tensor.datatype === 'FP32' ? shortText : numberText).join()}]`;
    }
    case 'BOOL':
      return `[${Array.from(tensor.data, (value) => (value === 0 ? 'false' : 'true')).join()}]`;
    case 'BYTES':
      return JSON.stringify(tensor.data.map((bytes, i) => utf8(bytes, `tensor ${name}: element ${i}`)));
    default:
      return `[${data.join()}]`;
  }
}

/** With a point: some readers take `-0` for a whole number, which has no sign of zero. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : `${value}`;
}

/** A float32 that was rounded to at most six decimals reads as that (0.0024), not as its double (0.002400000113993883): the same float32 either way. */
function shortText(value: number): string {
  const rounded = Math.round(value * 1e6) / 1e6;
  return Math.fround(rounded) === value && rounded !== 0 ? `${rounded}` : numberText(value);
}

function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new GlacisError(
      'data/mismatch',
      `${where}: expected UTF-8, which is all that JSON carries, got other bytes`,
    );
  }
}

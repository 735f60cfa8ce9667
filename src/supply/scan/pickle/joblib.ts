import type { ByteSource } from '../../../data/byte-source.ts';
import { PickleError } from './pickle-error.ts';
import { type Dict, isGlobal, itemsOf, kindOf, type Made, type Value } from './value.ts';

/**
 * Where the array ends whose bytes follow in the stream after BUILD of joblib's wrapper; `'pickle'` where its elements are
 * objects, which follow as a pickle of their own; `undefined` where `built` is no wrapper.
 * Source: joblib/numpy_pickle.py, `NumpyArrayWrapper.read_array`.
 */
export async function arrayAfter(
  source: ByteSource,
  start: number,
  built: Made | undefined,
): Promise<number | 'pickle' | undefined> {
  if (!isWrapper(built)) return undefined;
  const state = built?.state;
  if (kindOf(state) !== 'dict') throw new PickleError("joblib's array wrapper without its state");
  const entries = (state as Dict).entries;
  const type = itemType(entries.get('dtype'));
  if (type === undefined)
    throw new PickleError("joblib's array wrapper with an element type that is unknown");
  if (type === 'object') return 'pickle';
  const shape = itemsOf(entries.get('shape'));
  const count = shape?.reduce(
    (product: number, size) => product * (typeof size === 'number' ? size : Number.NaN),
    1,
  );
  let at = start;
  const alignment = entries.get('numpy_array_alignment_bytes');
  if (typeof alignment === 'number') {
    if (at >= source.size) throw new PickleError('an array that ends too soon');
    at += 1 + (await source.read(at, 1))[0]!;
  }
  const end = at + (count ?? Number.NaN) * type;
  if (!(end >= at && end <= source.size)) throw new PickleError(`an array of ${count} elements past the end`);
  return end;
}

function isWrapper(value: Made | undefined): boolean {
  const by = value?.by;
  return isGlobal(by) && by.module === 'joblib.numpy_pickle' && by.name === 'NumpyArrayWrapper';
}

/** Set in the state of a dtype whose elements hold objects (`NPY_ITEM_REFCOUNT`). */
const HOLDS_OBJECTS = 1;

/** Bytes of an element of a pickled `numpy.dtype`; `'object'` for those that hold objects. */
function itemType(value: Value | undefined): number | 'object' | undefined {
  if (kindOf(value) !== 'made') return undefined;
  const { by, args, state } = value as Made;
  const [text] = itemsOf(args) ?? [];
  if (!isGlobal(by) || by.module !== 'numpy' || by.name !== 'dtype' || typeof text !== 'string')
    return undefined;
  const flags = itemsOf(state)?.[7];
  const parts = /^[<>|=]?([a-zA-Z])(\d{1,9})?$/.exec(text);
  if (!parts) return undefined;
  if (parts[1] === 'O' || (typeof flags === 'number' && (flags & HOLDS_OBJECTS) !== 0)) return 'object';
  const size = parts[2] === undefined ? Number.NaN : Number(parts[2]);
  return Number.isNaN(size) ? undefined : parts[1] === 'U' ? 4 * size : size;
}

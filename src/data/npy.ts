import { GlacisError } from '../core/error.ts';
import { writeAtomically } from './atomic-write.ts';
import type { ByteSource } from './byte-source.ts';
import { ELEMENT_BYTES, type ElementType } from './element-type.ts';
import { type ArrayLayout, elementCount, openArray, type StoredArray } from './stored-array.ts';

/** `\x93NUMPY`, the first six bytes of every `.npy` file. */
export const NPY_MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** NumPy itself refuses headers over 10,000 characters; ours may have more for many-column dtypes, which are refused anyway. */
const MAX_HEADER = 65536;

const TYPES: Readonly<Record<string, ElementType>> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
};

/**
 * Opens a NumPy array file (format versions 1.0 to 3.0, C and Fortran order, both byte orders).
 * Object arrays are refused: reading them means running a pickle. Structured, complex and text arrays are refused too.
 *
 * Errors: `data/unreadable`, `data/too-large` (Fortran order over `maxBytes`).
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export async function openNpy(source: ByteSource, where: string, maxBytes: number): Promise<StoredArray> {
  return openArray(source, await readNpyHeader(source, where), where, maxBytes);
}

async function readNpyHeader(source: ByteSource, where: string): Promise<ArrayLayout> {
  const start = await source.read(0, Math.min(12, source.size));
  if (start.length < 10 || NPY_MAGIC.some((byte, i) => start[i] !== byte)) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a NumPy array file, got other bytes at its start`,
    );
  }
  const version = start[6]!;
  if (version < 1 || version > 3) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected NumPy format version 1 to 3, got ${version}`,
    );
  }
  const wide = version > 1;
  if (wide && start.length < 12)
    throw new GlacisError('data/unreadable', `${where}: the header is cut short`);
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const headerBytes = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (headerBytes > MAX_HEADER) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a header of at most ${MAX_HEADER} bytes, got ${headerBytes}`,
    );
  }
  const dataOffset = (wide ? 12 : 10) + headerBytes;
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    await source.read(wide ? 12 : 10, headerBytes),
  );
  return { ...parseHeader(header, where), offset: dataOffset };
}

/** The header is a Python dictionary literal with exactly these three keys; nothing else of Python is understood. */
function parseHeader(header: string, where: string): Omit<ArrayLayout, 'offset'> {
  const entries = new Map<string, string>();
  const body = /^\{(.*)\}\s*$/s.exec(header)?.[1];
  if (body !== undefined) {
    const entry =
      /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d\s,L]*\)|\[[^\]]*\])\s*(,|$)/y;
    let at = 0;
    while (at < body.length && body.slice(at).trim() !== '') {
      entry.lastIndex = at;
      const match = entry.exec(body);
      if (!match || entries.has(match[1]!)) {
        entries.clear();
        break;
      }
      entries.set(match[1]!, match[2]!);
      at = entry.lastIndex;
    }
  }
  const descr = entries.get('descr');
  const order = entries.get('fortran_order');
  const shape = entries.get('shape');
  if (!descr || (order !== 'True' && order !== 'False') || !shape?.startsWith('(')) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a header with descr, fortran_order and shape, got another`,
    );
  }
  const parts = /^'([<>=|])([a-zA-Z])(\d*)'$/.exec(descr);
  if (parts?.[2] === 'O') {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected numbers, got Python objects; reading them would run a pickle, so save plain numbers (e.g. numpy.stack, astype)`,
    );
  }
  const type = parts && TYPES[`${parts[2]}${parts[3]}`];
  if (!type) {
    throw new GlacisError(
      'data/unreadable',
      `${where}: expected a dtype of ${Object.keys(TYPES).join(', ')}, got another kind`,
    );
  }
  const sizes = shape
    .slice(1, -1)
    .split(',')
    .map((size) => size.trim().replace(/L$/, ''))
    .filter((size) => size !== '')
    .map(Number);
  if (sizes.length > 32)
    throw new GlacisError('data/unreadable', `${where}: expected at most 32 axes, got ${sizes.length}`);
  return { type, bigEndian: parts[1] === '>', fortranOrder: order === 'True', shape: sizes };
}

/** An array to be written. */
export interface NpyArray {
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
  /** Sizes of the axes, row-major; their product is `data.length`. */
  readonly shape: readonly number[];
  /** Writes a `Uint8Array` of 0 and 1 as NumPy booleans. */
  readonly bool?: boolean;
}

/**
 * The `.npy` header (version 1.0, padded so that the data starts at a multiple of 64) and the data's own bytes, not copied.
 * Errors: `option/invalid` when shape and data disagree.
 */
export function encodeNpy(
  array: NpyArray,
  where: string,
): { readonly header: Uint8Array; readonly data: Uint8Array } {
  const { data, shape } = array;
  if (elementCount(shape) !== data.length) {
    throw new GlacisError(
      'option/invalid',
      `${where}: expected ${data.length} elements, got shape [${shape.join(', ')}]`,
    );
  }
  const type = storedType(array, where);
  const code = Object.keys(TYPES).find((key) => TYPES[key] === type)!;
  const order = ELEMENT_BYTES[type] === 1 ? '|' : '<';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = new Uint8Array(total).fill(0x20);
  header.set(NPY_MAGIC);
  header.set([1, 0, (total - 10) & 0xff, (total - 10) >>> 8], 6);
  header.set(new TextEncoder().encode(text), 10);
  header[total - 1] = 0x0a;
  return { header, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function storedType({ data, bool }: NpyArray, where: string): ElementType {
  if (bool) {
    if (data instanceof Uint8Array && data.every((value) => value <= 1)) return 'bool';
    throw new GlacisError(
      'option/invalid',
      `${where}: expected a Uint8Array of 0 and 1 to write booleans, got other data`,
    );
  }
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof BigInt64Array ? 'int64' : 'uint8';
}

/**
 * Writes one array as a `.npy` file: to a temporary file beside it first, renamed when it is complete.
 * Errors: `output/unwritable`, `option/invalid`.
 *
 * @example
 * await writeNpy('labels.npy', { data: Int32Array.of(3, 1), shape: [2] });
 */
export async function writeNpy(path: string, array: NpyArray): Promise<void> {
  const { header, data } = encodeNpy(array, path);
  await writeAtomically(path, async (write) => {
    await write(header);
    await write(data);
  });
}

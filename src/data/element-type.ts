/** The element types that a stored array may have. */
export type ElementType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64';

/** What an element type is decoded to: `bool` gives `Uint8Array` of 0 and 1, `float16` gives `Float32Array`. */
export type NumberArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** Bytes of one stored element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/** Whether the type can hold NaN and infinities. */
export function isFloating(type: ElementType): boolean {
  return type === 'float16' || type === 'float32' || type === 'float64';
}

/**
 * Decodes stored elements. The bytes are copied, so `bytes` may be at any alignment and may be reused afterwards.
 * `bytes.length` must be a multiple of the element's size.
 */
export function decodeElements(bytes: Uint8Array, type: ElementType, bigEndian: boolean): NumberArray {
  const width = ELEMENT_BYTES[type];
  const copy = new Uint8Array(bytes);
  if (bigEndian && width > 1) reverseEach(copy, width);
  const buffer = copy.buffer;
  switch (type) {
    case 'bool':
      return copy.map((value) => (value === 0 ? 0 : 1));
    case 'uint8':
      return copy;
    case 'int8':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), float16ToNumber);
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
  }
}

/** The value of an IEEE 754 binary16 given by its 16 bits. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function reverseEach(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** A metadata value: a text, a 32-bit number, or a list of texts. */
export type GgufValue = string | number | readonly string[];

/** A tensor of a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: number;
  readonly offset: number;
}

const u32 = (n: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
};
export const u64 = (n: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
};
const text = (t: string) => Buffer.concat([u64(Buffer.byteLength(t)), Buffer.from(t)]);

function encoded(value: GgufValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(8), text(value)]);
  if (typeof value === 'number') return Buffer.concat([u32(4), u32(value)]);
  return Buffer.concat([u32(9), u32(8), u64(value.length), ...value.map(text)]);
}

/** The bytes of a GGUF file with `data` bytes of tensors. */
export function ggufFile(
  values: readonly (readonly [key: string, value: GgufValue])[],
  tensors: readonly GgufTensor[] = [],
  data = 0,
): Buffer {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(values.length),
    ...values.flatMap(([key, value]) => [text(key), encoded(value)]),
    ...tensors.flatMap(({ name, dims, type, offset }) => [
      text(name),
      u32(dims.length),
      ...dims.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  const padding = tensors.length === 0 ? 0 : (32 - (head.length % 32)) % 32;
  return Buffer.concat([head, Buffer.alloc(padding + data)]);
}

import { z } from 'zod';
import { GlacisError } from '../core/error.ts';

/** Arrays that a state may hold. */
export type StateArray = Float32Array | Float64Array | Uint32Array | Int32Array | Uint8Array;

/** What a detector keeps over a restart: plain JSON, and arrays beside it. */
export interface State {
  readonly kind: string;
  readonly plain: unknown;
  readonly arrays: Readonly<Record<string, StateArray>>;
}

const KINDS = {
  f32: Float32Array,
  f64: Float64Array,
  u32: Uint32Array,
  i32: Int32Array,
  u8: Uint8Array,
} as const;

const header = z.strictObject({
  kind: z.string().max(100),
  plain: z.unknown(),
  arrays: z
    .array(
      z.tuple([
        z.string().max(100),
        z.enum(['f32', 'f64', 'u32', 'i32', 'u8']),
        z
          .number()
          .int()
          .min(0)
          .max(2 ** 28),
      ]),
    )
    .max(64),
});

/** The state as bytes: length of the header (32 bits), header (JSON), arrays one after another. Little-endian machines only, as ONNX Runtime's are. */
export function stateToBytes({ kind, plain, arrays }: State): Uint8Array {
  const named = Object.entries(arrays);
  const listed = named.map(([name, array]) => [name, kindOf(array), array.length]);
  const text = Buffer.from(JSON.stringify({ kind, plain, arrays: listed }), 'utf8');
  const start = 4 + text.length;
  const out = Buffer.alloc(start + named.reduce((sum, [, array]) => sum + array.byteLength, 0));
  out.writeUInt32LE(text.length, 0);
  text.copy(out, 4);
  let at = start;
  for (const [, array] of named) {
    out.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  return out;
}

/**
 * Reads what {@link stateToBytes} wrote for the same `kind`; what the JSON means is checked by the caller. Errors: `result/invalid` for anything else, a byte too few or too
 * many included: a state that was cut off must not pass for an empty memory.
 */
export function stateFromBytes(kind: string, bytes: Uint8Array): State {
  const fail = (got: string) =>
    new GlacisError('result/invalid', `state of ${kind}: expected what was kept, got ${got}`);
  if (bytes.length < 4) throw fail(`${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > bytes.length - 4) throw fail('a header longer than the file');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(4, 4 + length)));
  } catch {
    throw fail('a header that is no JSON');
  }
  const read = header.safeParse(json);
  if (!read.success) throw fail('another header');
  if (read.data.kind !== kind) throw fail(`the state of ${JSON.stringify(read.data.kind)}`);
  const arrays: Record<string, StateArray> = {};
  let at = 4 + length;
  for (const [name, type, count] of read.data.arrays) {
    const size = KINDS[type].BYTES_PER_ELEMENT * count;
    if (at + size > bytes.length) throw fail('arrays that were cut off');
    // A copy, because the bytes may lie anywhere (and a Buffer's own slice would be none).
    const copy = new Uint8Array(size);
    copy.set(bytes.subarray(at, at + size));
    arrays[name] = new KINDS[type](copy.buffer);
    at += size;
  }
  if (at !== bytes.length) throw fail('bytes left over');
  return { kind, plain: read.data.plain, arrays };
}

/** Copies a kept array over one of the same type and length. Errors: `result/invalid`. */
export function takeUp(kind: string, arrays: State['arrays'], name: string, target: StateArray): void {
  const kept = Object.hasOwn(arrays, name) ? arrays[name] : undefined;
  if (kept?.length !== target.length || kindOf(kept) !== kindOf(target))
    throw new GlacisError(
      'result/invalid',
      `state of ${kind}: expected ${name} of ${target.length} elements, got ${kept?.length ?? 'none'}; it was kept with other settings`,
    );
  target.set(kept);
}

function kindOf(array: StateArray): keyof typeof KINDS {
  if (array instanceof Float32Array) return 'f32';
  if (array instanceof Float64Array) return 'f64';
  if (array instanceof Uint8Array) return 'u8';
  return array instanceof Uint32Array ? 'u32' : 'i32';
}

import type { Padding } from '../padding.ts';

/**
 * Field 2047, bytes: no message of the protocol has it, and readers skip what they do not know
 * (https://protobuf.dev/programming-guides/proto3/#unknowns).
 */
const TAG = [0xfa, 0x7f] as const;
/** Tag and a length of 0. */
const LEAST = 3;

/**
 * What has to be appended to a serialised protobuf message of `length` bytes so that it has a padded length: one unknown field of
 * zeros, or nothing. A gap too small for a field takes a block more.
 */
export function paddingField(length: number, padding: Padding): Uint8Array<ArrayBuffer> {
  let to = padding.padTo(length);
  if (to > length && to - length < LEAST) to = padding.padTo(to + 1);
  const gap = to - length;
  if (gap < LEAST) return new Uint8Array(0);
  // The varint of the field's length takes one byte for each seven bits; where it grows, a byte of it may be written longer than needed.
  let bytes = 1;
  while (gap - TAG.length - bytes >= 2 ** (7 * bytes)) bytes++;
  const content = gap - TAG.length - bytes;
  const field = new Uint8Array(gap);
  field.set(TAG);
  for (let i = 0; i < bytes; i++)
    field[TAG.length + i] = (Math.floor(content / 2 ** (7 * i)) & 0x7f) | (i < bytes - 1 ? 0x80 : 0);
  return field;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError, WireReader, WireWriter } from './wire.ts';

const written = (write: (w: WireWriter) => void): Uint8Array => {
  const w = new WireWriter();
  write(w);
  const bytes = Uint8Array.from(Buffer.concat(w.chunks()));
  expect(w.length).toBe(bytes.length);
  return bytes;
};

const first = (bytes: Uint8Array): WireReader => {
  const r = new WireReader(bytes);
  expect(r.next()).toBe(true);
  return r;
};

describe('the wire format', () => {
  it('writes what the encoding guide shows', () => {
    // https://protobuf.dev/programming-guides/encoding/: "150" in field 1, "testing" in field 2, -2 as int64.
    expect(written((w) => w.int(1, 150))).toEqual(Uint8Array.of(0x08, 0x96, 0x01));
    expect(written((w) => w.text(2, 'testing'))).toEqual(Uint8Array.of(0x12, 7, ...Buffer.from('testing')));
    expect(written((w) => w.int(1, -2))).toEqual(
      Uint8Array.of(0x08, 0xfe, ...Array<number>(8).fill(0xff), 1),
    );
    expect(written((w) => w.message(3, (m) => m.int(1, 150)))).toEqual(Uint8Array.of(0x1a, 3, 8, 0x96, 1));
  });

  it('keeps integers exactly up to 2^53, and what ONNX means by the end', () => {
    const int = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(2 ** 63, -(2 ** 63)));
    fc.assert(
      fc.property(int, fc.integer({ min: 1, max: 2 ** 29 - 1 }), (value, field) => {
        const r = first(written((w) => w.int(field, value)));
        expect([r.field, r.int()]).toEqual([field, value + 0]);
        expect(r.next()).toBe(false);
      }),
    );
  });

  it('keeps large byte fields as the very views that were handed in, at any depth', () => {
    const large = new Uint8Array(1000);
    const w = new WireWriter();
    w.message(1, (a) => a.message(2, (b) => b.bytes(3, large)));
    expect(w.chunks()).toContain(large);
  });

  it('skips fields that nobody reads', () => {
    const bytes = written((w) => {
      w.float(90, 1);
      w.bytes(91, new Uint8Array(300));
      w.raw(Uint8Array.of(0x09, 1, 2, 3, 4, 5, 6, 7, 8));
      w.int(7, 5);
    });
    const r = new WireReader(bytes);
    const seen: number[] = [];
    while (r.next()) seen.push(r.field);
    expect(seen).toEqual([90, 91, 1, 7]);
  });

  it('refuses what is no protobuf', () => {
    const cases: readonly [string, readonly number[]][] = [
      ['an end in the middle of a number', [0x08]],
      ['an end in the middle of a number', [0x08, 0x80]],
      ['more than ten bytes', [0x08, ...Array<number>(11).fill(0x80), 0]],
      ['a field number that protobuf does not allow', [0x00, 0x00]],
      ['wire type 3', [0x0b]],
      ['wire type 7', [0x0f]],
      ['a field of 5 bytes where 1 are left', [0x0a, 5, 0]],
      ['a field of 4 bytes where 3 are left', [0x0d, 0, 0, 0]],
      ['a field longer than 4 GiB', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ];
    for (const [expected, bytes] of cases) {
      const read = () => new WireReader(Uint8Array.from(bytes)).next();
      expect(read, expected).toThrow(WireError);
      expect(read, expected).toThrow(expected);
    }
  });

  it('refuses a field of another wire type than the one asked for', () => {
    const int = first(written((w) => w.int(1, 1)));
    for (const read of [
      () => int.bytes(),
      () => int.text(),
      () => int.message(),
      () => int.float(),
      () => int.fixedBytes(4),
    ]) {
      expect(read).toThrow(WireError);
    }
    const bytes = first(written((w) => w.bytes(1, Uint8Array.of(1, 2, 0x80))));
    for (const read of [
      () => bytes.int(),
      () => bytes.fixedBytes(4),
      () => bytes.pushFloats([]),
      () => bytes.pushInts([]),
    ]) {
      expect(read).toThrow(WireError);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arm, arm64, armThumb } from './arm.ts';
import { bcj2 } from './bcj2.ts';
import { type Convert, converted } from './converted.ts';
import { delta } from './delta.ts';
import { x86 } from './x86.ts';

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const got: Uint8Array[] = [];
  for await (const piece of pieces) got.push(Uint8Array.from(piece));
  return Buffer.concat(got);
}

/** Bytes that the filters take for opcodes, signs and registers. */
const byte = fc.constantFrom(0xe8, 0xe9, 0x0f, 0x85, 0, 0xff, 1, 0xeb, 0xf0, 0xf8, 0x94, 0x90, 0x12);
const code = fc.array(byte, { maxLength: 120 }).map((bytes) => Uint8Array.from(bytes));
const sizes = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
  .filter((all) => all.some((size) => size > 0));

describe('a filter', () => {
  it.each<[string, () => Convert]>([
    ['BCJ', x86],
    ['ARM', () => arm],
    ['ARMT', () => armThumb],
    ['ARM64', () => arm64],
    ['Delta', () => delta(3)],
  ])('gives the same however its input is cut, and leaves that alone: %s', async (_, begin) => {
    await fc.assert(
      fc.asyncProperty(code, sizes, async (bytes, sizes) => {
        const given = bytes.slice();
        const whole = await all(converted(inPieces(bytes, [200]), begin()));
        expect((await all(converted(inPieces(bytes, sizes), begin()))).equals(whole)).toBe(true);
        expect(whole.length).toBe(bytes.length);
        expect(bytes).toEqual(given);
      }),
    );
  });

  it.each<[string, Convert, readonly number[], readonly number[]]>([
    ['BCJ: a call', x86(), [0x90, 0xe8, 6, 1, 0, 0, 0x90], [0x90, 0xe8, 0, 1, 0, 0, 0x90]],
    ['BCJ: a jump back', x86(), [0xe9, 1, 0, 0, 0, 0x90], [0xe9, 0xfc, 0xff, 0xff, 0xff, 0x90]],
    ['BCJ: a target that is none', x86(), [0xe8, 1, 2, 3, 4, 5], [0xe8, 1, 2, 3, 4, 5]],
    ['ARM: a call', arm, [0, 0, 0, 0, 9, 0, 0, 0xeb], [0, 0, 0, 0, 6, 0, 0, 0xeb]],
    ['ARMT: a call', armThumb, [0, 0xf0, 9, 0xf8], [0, 0xf0, 7, 0xf8]],
    ['ARM64: a call', arm64, [0, 0, 0, 0, 9, 0, 0, 0x94], [0, 0, 0, 0, 8, 0, 0, 0x94]],
    ['Delta', delta(2), [1, 2, 3, 4, 255], [1, 2, 4, 6, 3]],
  ])('turns targets into offsets: %s', async (_, convert, packed, bytes) => {
    expect([...(await all(converted(inPieces(Uint8Array.from(packed), [99]), convert)))]).toEqual(bytes);
  });

  it('knows where it is in the stream', async () => {
    const pages = (position: number) => {
      const bytes = Uint8Array.from([0, 0, 0, 0x90]);
      arm64(bytes, position);
      return [...bytes];
    };
    expect(pages(0)).toEqual([0, 0, 0, 0x90]);
    expect(pages(2 ** 14)).toEqual([0xe0, 0xff, 0xff, 0x90]);
  });
});

describe('BCJ2', () => {
  const streams = (...bytes: readonly (readonly number[])[]) =>
    bytes.map((each) => inPieces(Uint8Array.from(each), [1]));

  it('puts targets from their own streams behind opcodes, where the coded bits say so', async () => {
    // All bits of code are ones: every opcode gave its target away.
    const ones = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    const out = bcj2(streams([0xe8, 0xe9, 1], [0, 0, 0, 9], [0, 0, 0, 9], ones), 11, 'x');
    expect([...(await all(out))]).toEqual([0xe8, 4, 0, 0, 0, 0xe9, 0xff, 0xff, 0xff, 0xff, 1]);
    const none = bcj2(streams([0xe8, 0x0f, 0x85, 1], [], [], new Array<number>(8).fill(0)), 4, 'x');
    expect([...(await all(none))]).toEqual([0xe8, 0x0f, 0x85, 1]);
  });

  it('ends in the middle of a target where its size says so, and gives nothing for nothing', async () => {
    const ones = [0, 0xff, 0xff, 0xff, 0xff];
    expect([...(await all(bcj2(streams([0xe8], [0, 0, 0, 9], [], ones), 3, 'x')))]).toEqual([0xe8, 4, 0]);
    expect(await all(bcj2(streams([], [], [], ones), 0, 'x'))).toHaveLength(0);
  });

  it.each<[string, readonly (readonly number[])[]]>([
    ['code', [[1, 2], [], [], [0, 0, 0, 0, 0]]],
    ['calls', [[1, 2, 0xe8, 3, 4], [0, 0], [], [0, 0xff, 0xff, 0xff, 0xff]]],
    ['jumps', [[1, 2, 0xe9, 3, 4], [], [0], [0, 0xff, 0xff, 0xff, 0xff]]],
    ['bits', [[1, 2, 3, 4], [], [], [0, 0]]],
  ])('says that it ends too early where %s do, after what came out', async (_, given) => {
    const got: Uint8Array[] = [];
    let reason: unknown;
    try {
      for await (const piece of bcj2(streams(...given), 9, 'x')) got.push(piece);
    } catch (thrown) {
      reason = thrown;
    }
    expect(reason).toMatchObject({ code: 'data/unreadable' });
    expect([...Buffer.concat(got).subarray(0, 2)]).toEqual(given[3]!.length > 2 ? [1, 2] : []);
  });

  it('lets go of its streams when nobody wants more', async () => {
    const closed: number[] = [];
    async function* endless(i: number): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(1000);
      } finally {
        closed.push(i);
      }
    }
    for await (const _ of bcj2([0, 1, 2, 3].map(endless), 2 ** 30, 'x')) break;
    expect(closed).toContain(0);
    expect(closed).toContain(3);
  });
});

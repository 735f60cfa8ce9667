import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget } from '../byte-budget.ts';
import { framed, MessageReader } from './message-reader.ts';
import { Patience } from './patience.ts';
import { timeoutFrom } from './timeout.ts';

const lease = () => new ByteBudget(2 ** 30, 2 ** 30).lease('192.0.2.1');

describe('one message on a stream', () => {
  it('comes back however it is cut, from one piece or several', () =>
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 4 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (pieces, isCompressed, cuts) => {
          const whole = Buffer.concat(framed(pieces, isCompressed));
          const reader = new MessageReader(5000, lease());
          for (let at = 0, i = 0; at < whole.length; i++) {
            const length = cuts[i % cuts.length]!;
            expect(reader.add(whole.subarray(at, at + length))).toBeUndefined();
            at += length;
          }
          const message = reader.message();
          expect(message?.isCompressed).toBe(isCompressed);
          expect(Buffer.compare(message!.bytes, Buffer.concat(pieces))).toBe(0);
          expect(reader.add(Buffer.alloc(1))).toBe('malformed');
        },
      ),
    ));

  it('any bytes are a message, none yet, or refused', () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (pieces) => {
        const reader = new MessageReader(100, lease());
        for (const piece of pieces) {
          const fault = reader.add(piece);
          expect([undefined, 'malformed', 'too-large', 'busy']).toContain(fault);
          if (fault !== undefined) return;
        }
        expect(reader.message()?.bytes.length ?? 0).toBeLessThanOrEqual(100);
      }),
    ));

  it('ends where a single raw tensor at its end is aligned', () => {
    const reader = new MessageReader(100, lease());
    const whole = Buffer.concat(framed([Buffer.alloc(29)], false));
    reader.add(whole.subarray(0, 10));
    reader.add(whole.subarray(10));
    const { bytes } = reader.message()!;
    expect((bytes.byteOffset + bytes.length) % 8).toBe(0);
  });

  it('large ones are not put together to be sent', () => {
    const tensor = new Uint8Array(100_000);
    expect(framed([Buffer.alloc(3), tensor], false)[2]).toBe(tensor);
  });
});

it.each([
  ['1S', 1000],
  ['250m', 250],
  ['2M', 120_000],
  ['1H', 3_600_000],
  ['500u', 0.5],
  ['1n', 1e-6],
  ['99999999H', 86_400_000],
  ['', undefined],
  ['1', undefined],
  ['123456789S', undefined],
  [' 1S', undefined],
  ['1s', undefined],
])('a timeout of %j is %j milliseconds', (text, milliseconds) =>
  expect(timeoutFrom(text)).toBe(milliseconds),
);

it('patience ends for the oldest first, and not for what is watched anew or forgotten', () => {
  const late: string[] = [];
  const patience = new Patience<string>(10, (item) => late.push(item));
  patience.watch('a', 0);
  patience.watch('b', 1);
  patience.watch('c', 2);
  patience.watch('d', 3);
  patience.look(9);
  expect(late).toEqual([]);
  patience.watch('b', 9);
  patience.forget('c');
  patience.look(14);
  expect(late).toEqual(['a', 'd']);
  patience.look(100);
  expect(late).toEqual(['a', 'd', 'b']);
});

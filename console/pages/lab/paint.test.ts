import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesFrom,
  coloursOf,
  differenceOf,
  type Frame,
  frameOf,
  gainFor,
  heatOf,
  sampleFrom,
  withHeat,
} from './paint.ts';

const frames = fc.record({
  width: fc.integer({ min: 1, max: 6 }),
  height: fc.integer({ min: 1, max: 6 }),
  channels: fc.constantFrom(1, 3, 4),
  planar: fc.boolean(),
});

describe('a sample as a picture', () => {
  it.each<[readonly number[], Partial<Frame> | undefined]>([
    [[3, 32, 48], { width: 48, height: 32, channels: 3, planar: true }],
    [[32, 48, 3], { width: 48, height: 32, channels: 3, planar: false }],
    [[1, 28, 28], { width: 28, height: 28, channels: 1, planar: true }],
    [[28, 28], { width: 28, height: 28, channels: 1, planar: true }],
    [[10], undefined],
    [[7, 8, 9], undefined],
    [[], undefined],
  ])('%j', (dims, frame) => {
    expect(frameOf(dims)).toEqual(frame);
  });

  it('is the same after it was drawn and read again, up to the 256 levels of a canvas', () => {
    fc.assert(
      fc.property(frames, fc.constantFrom([0, 1] as const, [-1, 1] as const), (frame, range) => {
        const [low, high] = range;
        const size = frame.width * frame.height * frame.channels;
        const values = Array.from(
          { length: size },
          (_, i) => low + (((i * 7919) % 256) / 255) * (high - low),
        );
        const again = sampleFrom(bytesFrom(coloursOf(values, frame, range)), frame, range);
        expect(again).toHaveLength(size);
        // What a canvas does not have, opacity, comes back as full.
        if (frame.channels !== 4)
          for (const [i, value] of again.entries())
            expect(Math.abs(value - values[i]!)).toBeLessThan((high - low) * 0.005);
      }),
    );
  });

  it('is grey where nothing changed, and amplified as far as nothing is cut', () => {
    const before = Float32Array.of(0.5, 0.5, 0.5);
    const now = Float32Array.of(0.5, 0.52, 0.48);
    const gain = gainFor(before, now);
    expect(gain).toBe(20);
    const difference = differenceOf(before, now, gain);
    expect(difference[0]).toBe(0.5);
    expect(difference[1]).toBeCloseTo(0.9);
    expect(gainFor(before, before)).toBe(1);
    expect(gainFor(before, Float32Array.of(1, 0, 1))).toBe(1);
  });

  it('has heat within ±1 and colours within [0, 1], whatever the attributions are', () => {
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 144, maxLength: 144 }),
        (frame, numbers) => {
          const heat = heatOf(numbers, frame);
          expect(heat.every((value) => value >= -1 && value <= 1)).toBe(true);
          const colours = withHeat(new Float32Array(heat.length * 3).fill(0.5), heat);
          expect(colours.every((value) => value >= 0 && value <= 1)).toBe(true);
        },
      ),
    );
  });
});

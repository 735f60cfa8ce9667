import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { PICTURE_CHANGE, PICTURE_CHANGES } from './changes.ts';
import { hueTurned, saturated } from './colour.ts';
import type { Frame } from './frame.ts';
import { turned } from './turn.ts';

const rng = randomFrom(7, 'pictures');

/** A smooth random picture that fills most of its range. */
function picture({ image, bounds: [low, high] }: Frame): Float32Array {
  return Float32Array.from(
    { length: image.channels * image.height * image.width },
    () => low + (high - low) * (0.1 + 0.8 * rng.uniform()),
  );
}

const FRAMES: readonly Frame[] = [
  { image: { channels: 3, height: 6, width: 5, layout: 'chw' }, bounds: [0, 1] },
  { image: { channels: 4, height: 5, width: 7, layout: 'hwc' }, bounds: [-2, 3] },
  { image: { channels: 1, height: 6, width: 6, layout: 'chw' }, bounds: [0, 255] },
];

const STRONG = { hue: 77, saturation: 1.2, rotation: 12.3, brightness: 0.07, contrast: 1.15 } as const;

describe.each(PICTURE_CHANGES)('a change of %s', (id) => {
  const change = PICTURE_CHANGE[id];
  const frames = FRAMES.filter(({ image }) => !change.needsColour || image.channels >= 3);

  it('changes nothing with its neutral parameter, and something with another', () => {
    for (const frame of frames) {
      const x = picture(frame);
      const width = frame.bounds[1] - frame.bounds[0];
      const out = new Float32Array(x.length);
      change.apply(frame, x, change.neutral, out);
      for (let i = 0; i < x.length; i++) expect(Math.abs(out[i]! - x[i]!)).toBeLessThan(1e-6 * width);
      change.apply(frame, x, STRONG[id], out);
      expect(out.some((v, i) => Math.abs(v - x[i]!) > 0.02 * width)).toBe(true);
    }
  });

  it('has the slope that its differences have', () => {
    for (const frame of frames) {
      const x = picture(frame);
      const width = frame.bounds[1] - frame.bounds[0];
      const h = 1e-3 * Math.max(1, Math.abs(STRONG[id]));
      const [up, down, slope] = [0, 0, 0].map(() => new Float32Array(x.length)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      change.apply(frame, x, STRONG[id] + h, up);
      change.apply(frame, x, STRONG[id] - h, down);
      change.slope(frame, x, STRONG[id], slope);
      let near = 0;
      for (let i = 0; i < x.length; i++) {
        const difference = (up[i]! - down[i]!) / (2 * h);
        if (Math.abs(difference - slope[i]!) < 2e-3 * width) near++;
      }
      // Between the two points some pixels pass a corner.
      expect(near).toBeGreaterThan(0.95 * x.length);
      expect(slope.some((v) => v !== 0)).toBe(true);
    }
  });
});

describe('colours', () => {
  const frame: Frame = { image: { channels: 3, height: 1, width: 4, layout: 'hwc' }, bounds: [0, 1] };
  // Red, a dull orange, grey, white.
  const x = Float32Array.of(1, 0, 0, 0.6, 0.4, 0.2, 0.5, 0.5, 0.5, 1, 1, 1);
  const result = (apply: typeof hueTurned, parameter: number) => {
    const out = new Float32Array(x.length);
    apply(frame, x, parameter, out);
    return [...out].map((v) => Number(v.toFixed(6)));
  };

  it('go round the circle', () => {
    // Python 3.11 colorsys, hues turned by a third.
    expect(result(hueTurned, 120)).toEqual([0, 1, 0, 0.2, 0.6, 0.4, 0.5, 0.5, 0.5, 1, 1, 1]);
    expect(result(hueTurned, -120)).toEqual([0, 0, 1, 0.4, 0.2, 0.6, 0.5, 0.5, 0.5, 1, 1, 1]);
    expect(result(hueTurned, 360)).toEqual(result(hueTurned, 0));
  });

  it('fade to grey and grow to full', () => {
    expect(result(saturated, 0)).toEqual([1, 1, 1, 0.6, 0.6, 0.6, 0.5, 0.5, 0.5, 1, 1, 1]);
    expect(result(saturated, 9)).toEqual([1, 0, 0, 0.6, 0.3, 0, 0.5, 0.5, 0.5, 1, 1, 1]);
  });

  it('leave transparency alone', () => {
    const clear: Frame = { image: { channels: 4, height: 2, width: 2, layout: 'chw' }, bounds: [0, 1] };
    const before = picture(clear);
    for (const id of PICTURE_CHANGES) {
      if (id === 'rotation') continue;
      const out = new Float32Array(16);
      PICTURE_CHANGE[id].apply(clear, before, STRONG[id], out);
      expect(out.slice(12)).toEqual(before.slice(12));
    }
  });
});

describe('a turn', () => {
  const image = { channels: 1, height: 3, width: 3, layout: 'chw' } as const;
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const result = (angle: number, dx: number, dy: number) => {
    const out = new Float32Array(9);
    turned(image, x, { angle, dx, dy }, 0, out);
    return [...out].map((v) => Number(v.toFixed(4)));
  };

  it('goes counter-clockwise about the middle', () => {
    expect(result(90, 0, 0)).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect(result(-90, 0, 0)).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(result(0, 0, 0)).toEqual([...x]);
  });

  it('shifts to the right and down, and fills what comes in', () => {
    expect(result(0, 1, 0)).toEqual([0, 1, 2, 0, 4, 5, 0, 7, 8]);
    expect(result(0, 0, 1)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
    expect(result(0, 0.5, 0)).toEqual([0.5, 1.5, 2.5, 2, 4.5, 5.5, 3.5, 7.5, 8.5]);
  });
});

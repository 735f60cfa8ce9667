import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import type { Frame } from './frame.ts';
import { type Patch, type Placement, placed, placedBack } from './placement.ts';

const rng = randomFrom(5, 'placement');
const BOUNDS: readonly [number, number] = [-1, 2];

const frameOf = (channels: number, layout: 'chw' | 'hwc'): Frame => ({
  image: { channels, height: 9, width: 12, layout },
  bounds: BOUNDS,
});
const uniform = (n: number, low: number, high: number) =>
  Float32Array.from({ length: n }, () => low + (high - low) * rng.uniform());
const patchOf = (channels: number, side: number, shape: Patch['shape']): Patch => ({
  side,
  shape,
  texels: uniform(channels * side * side, ...BOUNDS),
});
const PLAIN: Placement = { x: 5, y: 4, size: 5, angle: 0, contrast: 1, brightness: 0 };

describe.each(['circle', 'square'] as const)('a %s that is placed', (shape) => {
  it.each([
    ['in the middle', PLAIN],
    ['turned and in other light', { ...PLAIN, angle: 33, contrast: 1.4, brightness: -0.2 }],
    ['small and across the edge', { ...PLAIN, x: 0.3, y: 8.4, size: 3.7, angle: -70 }],
  ])('has the gradient of its own derivative, %s', (_, placement) => {
    for (const [channels, layout] of [
      [1, 'chw'],
      [3, 'chw'],
      [4, 'hwc'],
    ] as const) {
      const frame = frameOf(channels, layout);
      const light = Math.min(3, channels);
      const patch = patchOf(light, 4, shape);
      const x = uniform(channels * 108, ...BOUNDS);
      const gradient = uniform(x.length, -1, 1);
      const into = new Float32Array(patch.texels.length);
      placedBack(frame, patch, placement, gradient, into);
      const value = (texels: Float32Array) => {
        const out = new Float32Array(x.length);
        placed(frame, x, { ...patch, texels }, placement, out);
        return out.reduce((sum, v, i) => sum + v * gradient[i]!, 0);
      };
      // Values that are cut off or at the corner of a cut make the map no longer linear: a short way only.
      const h = 1e-3;
      for (let t = 0; t < into.length; t++) {
        const [up, down] = [patch.texels.slice(), patch.texels.slice()];
        up[t]! += h;
        down[t]! -= h;
        const slope = (value(up) - value(down)) / (up[t]! - down[t]!);
        expect(Math.abs(slope - into[t]!)).toBeLessThan(2e-3);
      }
    }
  });

  it('changes no pixel outside, and shows its own values inside', () => {
    const frame = frameOf(3, 'chw');
    const patch = patchOf(3, 5, shape);
    const x = uniform(3 * 108, ...BOUNDS);
    const out = new Float32Array(x.length);
    placed(frame, x, patch, PLAIN, out);
    for (let c = 0; c < 3; c++)
      for (let row = 0; row < 9; row++)
        for (let column = 0; column < 12; column++) {
          const at = (c * 9 + row) * 12 + column;
          const [a, b] = [column - 5, row - 4];
          const far = shape === 'circle' ? Math.hypot(a, b) : Math.max(Math.abs(a), Math.abs(b));
          if (far >= 3) expect(out[at]).toBe(x[at]);
          // One texel a pixel: no sampling in between.
          if (far <= 2) expect(out[at]).toBeCloseTo(patch.texels[(c * 5 + b + 2) * 5 + a + 2]!, 5);
        }
  });

  it('leaves transparency alone and stays within the bounds', () => {
    const frame = frameOf(4, 'hwc');
    const x = uniform(4 * 108, ...BOUNDS);
    const out = new Float32Array(x.length);
    placed(frame, x, patchOf(3, 4, shape), { ...PLAIN, contrast: 3, brightness: 0.5 }, out);
    for (const [i, v] of out.entries()) {
      if (i % 4 === 3) expect(v).toBe(x[i]);
      expect(v).toBeGreaterThanOrEqual(BOUNDS[0]);
      expect(v).toBeLessThanOrEqual(BOUNDS[1]);
    }
  });
});

it('turns counter-clockwise, brightens by a share of the range, and takes contrast from black', () => {
  const frame = frameOf(1, 'chw');
  const texels = Float32Array.of(0, 1, 0.5, -0.5);
  const x = new Float32Array(108);
  const out = new Float32Array(108);
  const at = (row: number, column: number) => out[row * 12 + column]!;
  const place = (change: Partial<Placement>) =>
    placed(
      frame,
      x,
      { texels, side: 2, shape: 'square' },
      { ...PLAIN, x: 4.5, y: 3.5, size: 2, ...change },
      out,
    );
  place({});
  expect([at(3, 4), at(3, 5), at(4, 4), at(4, 5)]).toEqual([0, 1, 0.5, -0.5]);
  place({ angle: 90 });
  for (const [i, v] of [1, -0.5, 0, 0.5].entries()) expect(at(3 + (i >> 1), 4 + (i % 2))).toBeCloseTo(v, 5);
  place({ contrast: 1.5, brightness: -0.1 });
  for (const [i, v] of [0.2, 1.7, 0.95, -0.55].entries())
    expect(at(3 + (i >> 1), 4 + (i % 2))).toBeCloseTo(v, 5);
});

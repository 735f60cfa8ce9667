import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/report/png.ts';
import { bars, feed, made, N, pictures, table, type Way } from './constrained.fixture.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'glacis-constraints-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** With gradients, with scores, with labels only; in a ball and for the nearest example. */
const ATTACKS: readonly Way[] = [
  ['pgd', { steps: 20 }, 'linf'],
  ['square', { queries: 150 }, 'linf'],
  ['hop-skip-jump', { queries: 200 }, 'l2'],
  ['fmn', { steps: 40 }, 'l2'],
];

describe.each([
  ['a table', table],
  ['candles', bars],
  ['a feed with late points', feed],
  ['masked pictures of 8 bits', pictures],
] as const)('examples of %s', (name, kind) => {
  it.each(ATTACKS)('by %s satisfy what they must', async (...attack) => {
    const { wrong, refused, cleanAccuracy, robustAccuracy } = await made(home, kind, attack);
    expect(wrong).toEqual([]);
    expect(refused).toBe(0);
    expect(cleanAccuracy).toBe(1);
    expect(robustAccuracy, name).toBeLessThan(1);
  });

  it('would not without the constraint', async () => {
    const { wrong } = await made(home, kind, ATTACKS[0]!, true);
    expect(wrong.length).toBeGreaterThan(N / 2);
  });
});

it('examples of 8 bits are the same after a PNG', async () => {
  const { x } = await made(home, pictures, ATTACKS[0]!);
  for (let i = 0; i < N; i++) {
    const picture = x.subarray(36 * i, 36 * i + 36);
    const png = encodePng({
      width: 6,
      height: 6,
      channels: 1,
      pixels: Uint8Array.from(picture, (v) => Math.round(255 * v)),
    });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const read = Float32Array.from({ length: 36 }, (_, k) => data[k * info.channels]! / 255);
    expect(read).toEqual(picture.slice());
  }
});

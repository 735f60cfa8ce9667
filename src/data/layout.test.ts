import { describe, expect, it } from 'vitest';
import { moveChannels, planLayout, type StoredLayout } from './layout.ts';

const plan = (stored: number[], wanted: (number | null)[], layout: StoredLayout = 'auto', hwc = false) =>
  planLayout(stored, wanted, layout, hwc, "input 'input'");

describe('fitting samples to a model input', () => {
  it.each([
    ['adds a channel axis in front', [28, 28], [1, 28, 28], [1, 28, 28], 'none', 'added in front'],
    ['adds a channel axis at the end', [28, 28], [28, 28, 1], [28, 28, 1], 'none', 'added at the end'],
    [
      'adds it in front when the model leaves it open',
      [28, 28],
      [null, null, null],
      [1, 28, 28],
      'none',
      'leaves its place open',
    ],
    ['drops a leading channel axis', [1, 28, 28], [28, 28], [28, 28], 'none', 'dropped'],
    ['drops a trailing channel axis', [28, 28, 1], [28, 28], [28, 28], 'none', 'dropped'],
    [
      'moves channels from last to first',
      [32, 30, 3],
      [3, 32, 30],
      [3, 32, 30],
      'last-to-first',
      'from last to first',
    ],
    [
      'moves channels from first to last',
      [3, 32, 30],
      [32, 30, 3],
      [32, 30, 3],
      'first-to-last',
      'from first to last',
    ],
    [
      'moves into open sizes',
      [32, 30, 3],
      [3, null, null],
      [3, 32, 30],
      'last-to-first',
      'from last to first',
    ],
    ['flattens', [28, 28], [784], [784], 'none', 'flattened'],
    ['gives flat samples axes', [784], [1, 28, 28], [1, 28, 28], 'none', 'last axis fastest'],
  ] as const)('%s', (_, stored, wanted, shape, move, note) => {
    const result = plan([...stored], [...wanted]);
    expect(result).toMatchObject({ shape, move });
    expect(result.notes.join()).toContain(note);
  });

  it('says nothing when the samples fit as they are', () => {
    for (const shape of [[13], [20, 8], [3, 32, 32], [4, 5, 6, 7]]) {
      expect(plan(shape, shape)).toMatchObject({ shape, move: 'none', notes: [] });
    }
  });

  it('says which order it took where both fit, and obeys layout', () => {
    const open = [null, null, null];
    expect(plan([32, 32, 3], open)).toMatchObject({
      shape: [3, 32, 32],
      notes: [expect.stringContaining('layout nchw')],
    });
    expect(plan([3, 32, 32], open)).toMatchObject({
      shape: [3, 32, 32],
      notes: [expect.stringContaining('layout nhwc')],
    });
    expect(plan([32, 32, 3], open, 'nchw')).toMatchObject({ shape: [32, 32, 3], move: 'none' });
    expect(plan([3, 32, 32], open, 'nhwc')).toMatchObject({ shape: [32, 3, 32], move: 'last-to-first' });
    expect(plan([3, 3, 3], [3, 3, 3])).toMatchObject({
      move: 'none',
      notes: [expect.stringContaining('layout nhwc')],
    });
    expect(plan([3, 3, 3], [3, 3, 3], 'nhwc')).toMatchObject({ move: 'last-to-first' });
    expect(plan([3, 3, 3], [3, 3, 3], 'auto', true)).toMatchObject({ move: 'last-to-first' });
  });

  it('refuses what does not fit, naming both shapes', () => {
    for (const [stored, wanted] of [
      [
        [28, 28, 1],
        [3, 28, 28],
      ],
      [
        [32, 32, 3],
        [3, 64, 64],
      ],
      [[12], [13]],
      [[784], [1, null, 28]],
      [
        [2, 3, 4, 5],
        [5, 2, 3, 4],
      ],
    ] as const) {
      const names = `[${wanted.map((size) => size ?? '?').join(', ')}], got [${stored.join(', ')}]`;
      expect(() => plan([...stored], [...wanted])).toThrow(
        expect.objectContaining({ code: 'data/mismatch', message: expect.stringContaining(names) }),
      );
    }
    expect(() => plan([3, 32, 30], [32, 30, 3], 'nhwc')).toThrow(/read as nhwc/);
  });
});

describe('moving the channel axis', () => {
  it('puts each value where the model looks for it', () => {
    const [h, w, c, n] = [2, 3, 4, 2];
    const hwc = Float32Array.from({ length: n * h * w * c }, (_, i) => i);
    const toFirst = plan([h, w, c], [c, h, w]);
    const chw = moveChannels(hwc, n, toFirst);
    for (let s = 0; s < n; s++)
      for (let y = 0; y < h; y++)
        for (let x = 0; x < w; x++)
          for (let k = 0; k < c; k++)
            expect(chw[((s * c + k) * h + y) * w + x]).toBe(hwc[((s * h + y) * w + x) * c + k]);
    expect(moveChannels(chw, n, plan([c, h, w], [h, w, c]))).toEqual(hwc);
  });
});

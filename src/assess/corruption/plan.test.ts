import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { corrupt } from '../../threat/corruption/corruption.ts';
import { corruptionFrom } from '../../threat/corruption/registry.ts';
import { scene } from '../../threat/corruption/sample-picture.fixture.ts';
import { type CorruptionOptions, cellName, corruptedSample, planCorruptions } from './plan.ts';

describe('planCorruptions', () => {
  it('takes all corruptions at all severities, then the noises by rising amount', () => {
    const { cells, image, severities } = planCorruptions([3, 32, 32], [0, 1]);
    expect(image).toEqual({ channels: 3, height: 32, width: 32, layout: 'chw' });
    expect(severities).toEqual([1, 2, 3, 4, 5]);
    expect(cells).toHaveLength(15 * 5 + 5 + 4);
    expect(cells.slice(0, 2).map(cellName)).toEqual([
      'gaussian-noise, severity 1',
      'gaussian-noise, severity 2',
    ]);
    expect(cells.slice(-2).map(cellName)).toEqual(['gaussian noise of 0.5', 'gaussian noise of 1']);
  });

  it('measures noise in the units of the input', () => {
    const { cells } = planCorruptions([28, 28], [0, 255], { corruptions: [], gaussian: [] });
    expect(cells.map((cell) => 'noise' in cell && Math.round(cell.amount))).toEqual([2, 4, 8, 16, 32]);
  });

  it('takes what is chosen once, in order', () => {
    const { cells } = planCorruptions([1, 8, 8], [0, 1], {
      corruptions: ['fog', 'snow', 'fog'],
      severities: [3, 1, 3],
      uniform: [0.2, 0.1, 0.2],
      gaussian: [],
    });
    expect(cells.map(cellName)).toEqual([
      'fog, severity 1',
      'fog, severity 3',
      'snow, severity 1',
      'snow, severity 3',
      'uniform noise of 0.1',
      'uniform noise of 0.2',
    ]);
  });

  it.each([
    ['a table', [30], [0, 1], {}, 'data/mismatch'],
    ['no range', [3, 8, 8], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], {}, 'data/mismatch'],
    ['an unknown corruption', [3, 8, 8], [0, 1], { corruptions: ['rain'] }, 'option/invalid'],
    ['severity 6', [3, 8, 8], [0, 1], { severities: [6] }, 'option/invalid'],
    ['no severity', [3, 8, 8], [0, 1], { severities: [] }, 'option/invalid'],
    ['noise of nothing', [3, 8, 8], [0, 1], { uniform: [0] }, 'option/invalid'],
    ['an unknown option', [3, 8, 8], [0, 1], { severity: [1] }, 'option/unknown'],
  ] as const)('refuses %s', (_, dims, bounds, options, code) => {
    expect(() => planCorruptions(dims, bounds, options as unknown as CorruptionOptions)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('corruptedSample', () => {
  const dims = { channels: 3, height: 12, width: 12, layout: 'chw' } as const;
  const unit = scene(dims);

  it('is the corruption, in the units of the input', () => {
    const plan = planCorruptions([3, 12, 12], [-1, 3], { corruptions: ['fog'] });
    const x = unit.map((value) => -1 + 4 * value);
    const out = corruptedSample(plan, plan.cells[2]!, x, 9, 4);
    const expected = corrupt(corruptionFrom('fog'), unit, dims, 3, randomFrom(9, 'corruption', 'fog', 3, 4));
    for (const [i, value] of expected.entries()) expect(out[i]).toBeCloseTo(-1 + 4 * value, 5);
  });

  it('draws anew for every sample, severity and seed, and alike for the same', () => {
    const plan = planCorruptions([3, 12, 12], [0, 1], { corruptions: ['gaussian-noise'] });
    const [cell, other] = [plan.cells[4]!, plan.cells[3]!];
    const one = corruptedSample(plan, cell, unit, 0, 1);
    expect(corruptedSample(plan, cell, unit, 0, 1)).toEqual(one);
    expect(corruptedSample(plan, cell, unit, 0, 2)).not.toEqual(one);
    expect(corruptedSample(plan, cell, unit, 1, 1)).not.toEqual(one);
    expect(corruptedSample(plan, other, unit, 0, 1)).not.toEqual(one);
  });

  it('stays within bounds that are no round numbers', () => {
    const [low, high] = [Math.fround(-2.117904), Math.fround(2.64)];
    const plan = planCorruptions([3, 12, 12], [low, high], { uniform: [9], corruptions: ['brightness'] });
    const x = unit.map((value) => low + (high - low) * value);
    for (const cell of plan.cells) {
      const out = corruptedSample(plan, cell, x, 0, 0);
      expect(out.every((value) => value >= low && value <= high)).toBe(true);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { differenceOf } from './compare.ts';
import { compareSides, objections, type SideFigures } from './harness.ts';
import { foreignCores } from './load.ts';
import { median } from './median.ts';
import { parseOptions } from './options.ts';
import type { Side } from './side.ts';

/** A side that prints fixed figures, so that the arithmetic can be checked. */
function printing(name: string, walls: readonly number[], cpuPerWall: number): Side {
  const events = [
    { event: 'environment', threads: 2 },
    ...walls.map((wall, index) => ({ event: 'repeat', index, wall, cpu: wall * cpuPerWall })),
    { event: 'done', cpu: 0, peakRssBytes: 1024 },
  ];
  const text = events.map((event) => JSON.stringify(event)).join('\n');
  return { name, command: process.execPath, args: ['-e', `console.log(${JSON.stringify(text)})`] };
}

const settings = { rounds: 2, threads: 2, timed: 'repeat', progress: () => {} } as const;

describe('benchmark harness', () => {
  it('takes the median repetition and the ratio peer over ours', async () => {
    const { ours, comparisons } = await compareSides(
      printing('ours', [0.1, 9, 0.2], 2),
      [printing('peer', [0.6], 1)],
      settings,
    );
    expect(ours.wall).toBe(0.2);
    expect(comparisons[0]!.ratio).toBeCloseTo(3);
    expect(comparisons[0]!.cpuRatio).toBeCloseTo(1.5);
    expect(comparisons[0]!.memoryRatio).toBe(1);
    expect(comparisons[0]!.invalid).toContain('peer used 1.00 of 2 threads');
  });

  it('fails with the end of the error output when a side fails', async () => {
    const broken = {
      name: 'peer',
      command: process.execPath,
      args: ['-e', 'console.error("no such network"); process.exit(3)'],
    };
    await expect(compareSides(broken, [], settings)).rejects.toThrow(/exit code 0, got 3.*no such network/s);
  });

  it('fails when a side says nothing', async () => {
    const mute = { name: 'peer', command: process.execPath, args: ['-e', ''] };
    await expect(compareSides(mute, [], settings)).rejects.toThrow(/environment line/);
  });

  it('objects to idle threads, to other programs and to figures that are not numbers', () => {
    const side = (threadsUsed: number, foreign: number, repeats = [{ wall: 1, cpu: 2 }]): SideFigures => ({
      name: 'peer',
      environment: {},
      wall: 1,
      cpu: 2,
      peakRssBytes: 0,
      threadsUsed,
      runs: [{ environment: {}, repeats, wall: 1, cpu: 2, peakRssBytes: 0, foreignCores: foreign }],
    });
    expect(objections(side(1.61, 0.29), 2)).toEqual([]);
    expect(objections(side(1.59, 0.29), 2)).toHaveLength(1);
    expect(objections(side(1, 0), 1)).toEqual([]);
    expect(objections(side(1, 0, []), 2)).toEqual([]);
    expect(objections(side(2, 0.31), 2)).toHaveLength(1);
    expect(objections(side(Number.NaN, Number.NaN), 2)).toHaveLength(2);
  });

  it('counts as foreign what the machine did beyond the program itself, stolen time included', () => {
    const before = { busy: 10, stolen: 1, at: 100 };
    expect(foreignCores(before, { busy: 16, stolen: 2, at: 104 }, 3)).toBe(1);
    expect(foreignCores(before, { busy: 12, stolen: 1, at: 104 }, 3)).toBe(0);
  });

  it('lets no NaN pass as a small difference', () => {
    const difference = differenceOf([1, Number.NaN, 3], [1, 2, 3]);
    expect(difference.absolute).toBeNaN();
    expect(difference.relative).toBeNaN();
    expect(differenceOf([3, 4.5], [3, 4])).toEqual({ absolute: 0.5, relative: 0.1 });
    expect(() => differenceOf([1], [1, 2])).toThrow(/expected 2 elements, got 1/);
  });

  it('takes medians of odd and even counts', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('lets a peer sit out that was too slow in the first round', async () => {
    const peers = [printing('quick', [0.2], 2), printing('slow', [0.5], 2)];
    const settled = { ...settings, rounds: 3, patience: 2 };
    const { ours, comparisons } = await compareSides(printing('ours', [0.1], 2), peers, settled);
    expect(ours.runs).toHaveLength(3);
    expect(comparisons.map(({ peer }) => peer.runs.length)).toEqual([3, 1]);
    expect(comparisons[1]!.ratio).toBeCloseTo(5);
  });

  it('refuses unknown suites, options and counts', () => {
    expect(parseOptions(['pgd', '--quick']).rounds).toBe(2);
    expect(() => parseOptions(['speed'])).toThrow(/gradient, pgd, .* or [a-z]+, got speed/);
    expect(() => parseOptions(['pgd', '--fast'])).toThrow(/--fast/);
    expect(parseOptions(['attacks', '--only', 'fgsm,pgd-10']).only).toEqual(['fgsm', 'pgd-10']);
    expect(() => parseOptions(['pgd', '--only', 'fgsm'])).toThrow(/only the attacks and strength suites/);
    expect(() => parseOptions(['pgd', '--rounds', '0'])).toThrow(/count from 1, got 0/);
  });
});

import { describe, expect, it } from 'vitest';
import { classBars } from './class-bars.ts';
import { source } from './markup.ts';

const shown = (...args: Parameters<typeof classBars>) =>
  source(classBars(...args)!).replaceAll('\u00a0', ' ');

describe('class by class', () => {
  it('shows how much of each class is left, the weakest first', () => {
    const cells = [
      [0, 0, 3],
      [0, 2, 1],
      [1, 1, 8],
      [2, 0, 5],
    ] as const;
    const page = shown({ classes: 3, cells }, ['stop', 'yield', 'limit']);
    const bars = [
      ...page.matchAll(
        /<span>(\w+)<\/span>.*?class="held" width="([\d.]+)".*?>([\d.]+ %) <span class="muted">of (\d+)/g,
      ),
    ];
    expect(bars.map(([, ...bar]) => bar)).toEqual([
      ['limit', '0', '0 %', '5'],
      ['stop', '75', '75.0 %', '4'],
      ['yield', '100', '100 %', '8'],
    ]);
  });

  it('shows the 24 weakest of many, and says so', () => {
    const cells = Array.from({ length: 40 }, (_, c) => [
      [c, c, c + 1] as const,
      [c, (c + 1) % 40, 1] as const,
    ]).flat();
    const page = shown({ classes: 40, cells }, undefined);
    expect(page.match(/class="class-bar"/g)).toHaveLength(24);
    expect(page).toContain('24 of 40');
    expect(page).toContain('class 0');
    expect(page).not.toContain('class 39');
  });

  it('is nothing for a single class', () => {
    expect(classBars({ classes: 2, cells: [[0, 0, 4]] }, undefined)).toBeNull();
  });
});

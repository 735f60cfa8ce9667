import { describe, expect, test } from 'vitest';
import { openTrails } from './trails.ts';

const DAY = 86_400_000;

describe('trails of callers', () => {
  const full = () => {
    const trails = openTrails(1);
    // The later a caller, the longer it is heard of.
    for (let i = 0; i < 32; i++) trails.take([i], 0, `c${i}`, `d${i}`, i);
    return trails;
  };
  const callersOf = (trails: ReturnType<typeof openTrails>) => new Set(trails.all()!.principals);

  test('somebody new waits until one was quiet for a day, and takes the place of the one who came first', () => {
    const trails = full();
    trails.take([99], 0, 'new', 'd', DAY);
    expect(callersOf(trails).has('new')).toBe(false);
    trails.take([99], 0, 'new', 'd', DAY + 1);
    const callers = callersOf(trails);
    expect(callers.has('new')).toBe(true);
    expect(callers.has('c0')).toBe(false);
    expect(callers.size).toBe(32);
  });

  test('who is heard of stays', () => {
    const trails = full();
    for (let i = 0; i < 32; i++) if (i !== 7) trails.take([i], 0, `c${i}`, 'd', DAY);
    trails.take([99], 0, 'new', 'd', DAY + 8);
    expect(callersOf(trails).has('c7')).toBe(false);
    trails.take([98], 0, 'newer', 'd', 2 * DAY);
    expect(callersOf(trails).has('newer')).toBe(false);
    trails.take([98], 0, 'newer', 'd', 2 * DAY + 1);
    expect(callersOf(trails).has('newer')).toBe(true);
  });

  test('a clock that was set back makes nobody seem busier than it is', () => {
    const trails = full();
    trails.take([99], 0, 'new', 'd', 10 * DAY);
    // In the place of c0; heard of long before the others.
    trails.take([98], 0, 'late', 'd', 10 * DAY + 1);
    trails.take([97], 0, 'later', 'd', 10 * DAY + 2);
    expect(callersOf(trails).size).toBe(32);
    for (const who of ['new', 'late', 'later']) expect(callersOf(trails).has(who)).toBe(true);
  });

  test('values are kept as float32', () => {
    const trails = openTrails(2);
    trails.take([0, 0.1, 0.2], 1, 'ann', 'd', 1);
    expect([...trails.all()!.values]).toEqual([Math.fround(0.1), Math.fround(0.2)]);
  });
});

import { describe, expect, test } from 'vitest';
import type { Asker } from './askers.ts';
import { type Addition, clustersOf, SPARED } from './clusters.ts';

const asker = (id: number, asked = 0): Asker => ({ id, asked, share: 0 });
const near: Addition = { weight: 1, flipped: false, label: 0, margin: () => 1 };

describe('clusters', () => {
  test('what each asker adds beyond what is spared adds up', () => {
    const clusters = clustersOf(8);
    const [ann, bob] = [asker(1), asker(2)];
    for (let i = 0; i < SPARED; i++) expect(clusters.join(7, ann, near).size).toBe(0);
    expect(clusters.join(7, ann, near).size).toBe(1);
    for (let i = 0; i < SPARED; i++) expect(clusters.join(7, bob, near).size).toBe(1);
    expect(clusters.join(7, bob, near).size).toBe(2);
    expect(clusters.isImplicated(7, bob)).toBe(true);
    expect(clusters.isImplicated(7, asker(3))).toBe(false);
    expect(clusters.isImplicated(8, bob)).toBe(false);
  });

  test('evidence fades with what the asker asks beside, and with nothing else', () => {
    const clusters = clustersOf(8);
    const ann = asker(1);
    for (let i = 0; i < 20; i++) clusters.join(7, ann, near);
    const before = clusters.join(7, ann, near).size;
    expect(clusters.join(7, asker(2, 10_000), near).size).toBe(before);
    ann.asked += 500;
    expect(clusters.join(7, ann, near).size).toBeCloseTo((before + SPARED) / Math.E + 1 - SPARED, 6);
  });

  test('of more askers than it tells apart, the least is forgotten', () => {
    const clusters = clustersOf(8);
    for (let id = 1; id <= 100; id++)
      for (let i = 0; i < (id === 50 ? 9 : 4); i++) clusters.join(7, asker(id), near);
    const [[, , , , parts]] = clusters.keep() as [[number, number, number, number, readonly [number][]]];
    expect(parts.length).toBe(16);
    expect(parts.some(([id]) => id === 50)).toBe(true);
  });

  test('clusters are bounded, and those joined least recently go first', () => {
    const clusters = clustersOf(2);
    for (let i = 0; i <= SPARED; i++) for (const number of [1, 2, 3]) clusters.join(number, asker(1), near);
    expect((clusters.keep() as readonly unknown[]).length).toBe(2);
    expect(clusters.isImplicated(1, asker(1))).toBe(false);
  });

  test('margins that are no numbers survive a restart', () => {
    const clusters = clustersOf(2);
    clusters.join(1, asker(1), { ...near, margin: () => Number.NaN });
    const again = clustersOf(2);
    again.restore(JSON.parse(JSON.stringify(clusters.keep())));
    expect(again.keep()).toEqual(clusters.keep());
    expect(() => again.restore([[1]])).toThrow(expect.objectContaining({ code: 'result/invalid' }));
  });
});

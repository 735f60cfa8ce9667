import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../runtime/engine.ts';
import { drawBack } from './draw-back.ts';
import {
  attackTiny,
  nearestByEnumeration,
  TINY_BOUNDS,
  tinyNetwork,
} from './evasion/tiny-network.fixture.ts';
import type { Talk } from './question.ts';
import { refine } from './refine.ts';
import { defineSampleAttack, type Victim } from './sample-attack.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const network = tinyNetwork(24);

/** An attack that knows a coarse grid of points, and what comes after it. */
function fromGrid(after: (victim: Victim) => Talk) {
  return defineSampleAttack({
    id: 'grid',
    title: 'a coarse grid',
    needs: 'gradient',
    seeks: 'minimum',
    norms: ['linf', 'l2', 'l1', 'l0'],
    source: '',
    use: '',
    defaults: {},
    check() {},
    cost: () => ({ gradients: 0, evaluations: 25 }),
    *talk(victim) {
      const [low, high] = TINY_BOUNDS;
      const values = [0, 1, 2, 3, 4].map((i) => low + ((high - low) * i) / 4);
      yield* victim.answers(Float32Array.from(values.flatMap((a) => values.flatMap((b) => [a, b]))), 25);
      yield* after(victim);
    },
  });
}

describe.each([
  ['linf', 18],
  ['l2', 22],
  ['l1', 22],
  ['l0', 24],
] as const)('refine in %s', (norm, within) => {
  it('brings examples from anywhere to the nearest there is, mostly', async () => {
    const { far: coarse } = await attackTiny(
      engine,
      network,
      fromGrid(function* () {}),
      norm,
    );
    const { far } = await attackTiny(engine, network, fromGrid(refine), norm);
    const least = Array.from({ length: network.n }, (_, i) => nearestByEnumeration(network, i, norm));
    for (const [i, d] of far.entries()) expect(d).toBeLessThanOrEqual(coarse[i]!);
    const near = (list: readonly number[]) => list.filter((d, i) => d < 1.01 * least[i]!).length;
    expect(near(coarse)).toBeLessThan(norm === 'l0' ? 24 : 3);
    expect(near(far)).toBeGreaterThanOrEqual(within);
  });
});

describe('drawBack', () => {
  it('ends at most a thousandth of the distance behind the boundary, on the line to the clean sample', async () => {
    const { x: coarse } = await attackTiny(
      engine,
      network,
      fromGrid(function* () {}),
      'l2',
    );
    const { x, far } = await attackTiny(engine, network, fromGrid(drawBack), 'l2');
    const { x0, labels, classAt } = network;
    for (let i = 0; i < network.n; i++) {
      const [a, b] = [x0[2 * i]!, x0[2 * i + 1]!];
      const [u, v] = [x[2 * i]! - a, x[2 * i + 1]! - b];
      expect(classAt(a + 0.999 * u, b + 0.999 * v)).toBe(labels[i]);
      expect(u * (coarse[2 * i + 1]! - b) - v * (coarse[2 * i]! - a)).toBeCloseTo(0, 5);
      expect(far[i]).toBeGreaterThan(0);
    }
  });
});

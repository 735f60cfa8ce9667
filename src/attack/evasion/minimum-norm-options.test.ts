import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { cwL2 } from './cw-l2.ts';
import { cwLinf } from './cw-linf.ts';
import { ead } from './ead.ts';
import { jsma } from './jsma.ts';
import { attackTiny, tinyNetwork } from './tiny-network.fixture.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const network = tinyNetwork(24);
const { x0, labels, n } = network;

/** By how much the winning class leads the label at example `i`. */
function leadOf(x: Float32Array, i: number): number {
  const z = Array.from(network.logitsAt(x[2 * i]!, x[2 * i + 1]!));
  const own = z[labels[i]!]!;
  return Math.max(...z.filter((_, k) => k !== labels[i])) - own;
}

describe.each([
  ['cw-l2', cwL2, 'l2', { steps: 100, stepSize: 0.05, searchSteps: 6 }],
  ['cw-linf', cwLinf, 'linf', { steps: 30, stepSize: 0.05, constFactor: 8 }],
  ['ead', ead, 'l1', { searchSteps: 7 }],
] as const)('confidence in %s', (_name, attack, norm, options) => {
  it('is a lead that every example has, and costs distance', async () => {
    const run = (confidence: number) =>
      attackTiny(engine, network, attack as typeof cwL2, norm, { ...options, confidence });
    const [near, sure] = [await run(0), await run(0.3)];
    const found = sure.far.flatMap((far, i) => (Number.isFinite(far) ? [i] : []));
    expect(found.length).toBeGreaterThan(n / 2);
    for (const i of found) expect(leadOf(sure.x, i)).toBeGreaterThan(0.2999);
    const total = (far: readonly number[]) => found.reduce((sum, i) => sum + far[i]!, 0);
    expect(total(sure.far)).toBeGreaterThan(total(near.far));
  });
});

describe('ead', () => {
  it('chooses by the elastic net or by l1 alone, as it is told', async () => {
    const run = (decisionRule: 'EN' | 'L1') =>
      attackTiny(engine, network, ead, 'l1', { decisionRule, refine: false, steps: 50 });
    const [elastic, taxi] = [await run('EN'), await run('L1')];
    const cost = (x: Float32Array, i: number) =>
      [2 * i, 2 * i + 1].reduce((sum, e) => sum + 0.01 * Math.abs(x[e]! - x0[e]!) + (x[e]! - x0[e]!) ** 2, 0);
    let differ = 0;
    for (let i = 0; i < n; i++) {
      expect(cost(elastic.x, i)).toBeLessThanOrEqual(cost(taxi.x, i) + 1e-6);
      expect(taxi.far[i]).toBeLessThanOrEqual(elastic.far[i]! + 1e-6);
      if (taxi.far[i]! < elastic.far[i]! - 1e-4) differ++;
    }
    expect(differ).toBeGreaterThan(0);
  });
});

describe('jsma', () => {
  it('moves elements up only or down only, as it is told', async () => {
    const options = { theta: 0.1, targets: 2, refine: false };
    const up = await attackTiny(engine, network, jsma, 'l0', { ...options, direction: 'increase' });
    const down = await attackTiny(engine, network, jsma, 'l0', { ...options, direction: 'decrease' });
    expect(up.far.some(Number.isFinite) && down.far.some(Number.isFinite)).toBe(true);
    for (const [e, v] of x0.entries()) {
      expect(up.x[e]).toBeGreaterThanOrEqual(v);
      expect(down.x[e]).toBeLessThanOrEqual(v);
    }
  });

  it('goes on by what the target gains where no pair also takes from the others', async () => {
    const found = async (saliency: 'pair' | 'target') => {
      const { far } = await attackTiny(engine, network, jsma, 'l0', {
        ...{ theta: 0.1, targets: 2, refine: false, saliency },
      });
      return far.filter(Number.isFinite).length;
    };
    const [pair, target] = [await found('pair'), await found('target')];
    expect(pair).toBeLessThan(n);
    expect(target).toBeGreaterThan(pair);
  });

  it('goes on, by the target alone, where the best pair takes something from the target', async () => {
    const found = async (targets: number) => {
      const { far } = await attackTiny(engine, network, jsma, 'l0', {
        ...{ theta: 0.1, targets, refine: false, saliency: 'target', direction: 'decrease' },
      });
      return far.filter(Number.isFinite).length;
    };
    // The nearest rival is behind a valley: who stops at its edge finds one.
    const nearest = await found(1);
    expect(nearest).toBeGreaterThan(5);
    expect(nearest).toBe(await found(2));
  });

  it('changes no more elements than gamma allows', async () => {
    const { far } = await attackTiny(engine, network, jsma, 'l0', { theta: 0.1, gamma: 0.5, refine: false });
    const found = far.filter(Number.isFinite);
    expect(found.length).toBeGreaterThan(0);
    for (const count of found) expect(count).toBe(1);
  });
});

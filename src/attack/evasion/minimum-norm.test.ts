import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import type { Norm } from '../../threat/norm.ts';
import type { Attack } from '../attack.ts';
import { brendelBethge } from './brendel-bethge.ts';
import { cwL0 } from './cw-l0.ts';
import { cwL2 } from './cw-l2.ts';
import { cwLinf } from './cw-linf.ts';
import { ddn } from './ddn.ts';
import { deepFool } from './deepfool.ts';
import { ead } from './ead.ts';
import { fmn } from './fmn.ts';
import { jsma } from './jsma.ts';
import { sparseFool } from './sparsefool.ts';
import { attackTiny, nearestByEnumeration, tinyNetwork } from './tiny-network.fixture.ts';

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const network = tinyNetwork(24);
const truths = new Map<Norm, readonly number[]>();
function leastIn(norm: Norm): readonly number[] {
  const known = truths.get(norm);
  const least = known ?? Array.from({ length: network.n }, (_, i) => nearestByEnumeration(network, i, norm));
  truths.set(norm, least);
  return least;
}

/** An attack, its options here, and of 24 samples on how many it must come within 1 % of the nearest example there is, from one start. */
interface Case {
  readonly attack: Attack<object>;
  readonly options?: Readonly<Record<string, number>>;
  readonly within: Partial<Readonly<Record<Norm, number>>>;
}

// Each starts once and goes downhill, so it may end at another part of the boundary. In linf the nearest example lies in a corner of
// the cube around the sample or else where its edge touches the boundary; steps end in corners.
const CASES: readonly Case[] = [
  {
    attack: as(brendelBethge),
    options: { steps: 200, lr: 0.05 },
    within: { linf: 18, l2: 24, l1: 24, l0: 24 },
  },
  { attack: as(cwL0), options: { steps: 50, stepSize: 0.03, constFactor: 8 }, within: { l0: 24 } },
  { attack: as(cwL2), options: { steps: 100, stepSize: 0.05, searchSteps: 5 }, within: { l2: 24 } },
  { attack: as(cwLinf), options: { steps: 30, stepSize: 0.05, constFactor: 8 }, within: { linf: 14 } },
  { attack: as(ddn), within: { l2: 24 } },
  { attack: as(deepFool), within: { l2: 24, linf: 16 } },
  { attack: as(ead), within: { l1: 24 } },
  { attack: as(fmn), within: { linf: 16, l2: 24, l1: 24, l0: 24 } },
  // Where no move raises the target and lowers the others at once, JSMA has nothing to do.
  { attack: as(jsma), options: { theta: 0.1, targets: 2 }, within: { l0: 16 } },
  { attack: as(sparseFool), within: { l0: 24 } },
];

function as<Options extends object>(attack: Attack<Options>): Attack<object> {
  return attack as unknown as Attack<object>;
}

describe.each(CASES.map((c) => [c.attack.id, c] as const))('%s', (_id, { attack, options, within }) => {
  it('has a case for each of its norms', () => {
    expect(Object.keys(within).toSorted()).toEqual(attack.norms.toSorted());
  });

  it.each(attack.norms)('finds the nearest example there is in %s', async (norm) => {
    const least = leastIn(norm);
    const { far: found } = await attackTiny(engine, network, attack, norm, options);
    const near = found.filter((far, i) => {
      expect(far, `sample ${i}`).toBeGreaterThan(0.999 * least[i]!);
      return far < 1.01 * least[i]!;
    });
    expect(near.length).toBeGreaterThanOrEqual(within[norm]!);
  });
});

// Which part of the boundary is nearest is not to be seen from one start: the same attacks from five.
describe.each([
  { attack: as(brendelBethge), options: { steps: 200, lr: 0.05, restarts: 5 }, near: 24 },
  { attack: as(cwLinf), options: { steps: 30, stepSize: 0.05, constFactor: 8, restarts: 5 }, near: 21 },
  { attack: as(fmn), options: { restarts: 5 }, near: 23 },
])('$attack.id from five starts', ({ attack, options, near }) => {
  it('finds the nearest example there is in linf', async () => {
    const least = leastIn('linf');
    const { far } = await attackTiny(engine, network, attack, 'linf', options);
    expect(far.filter((each, i) => each < 1.01 * least[i]!).length).toBeGreaterThanOrEqual(near);
  });
});

import { describe, expect, it } from 'vitest';
import { classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { attackFunction, type FunctionModel } from '../function-model.fixture.ts';
import { spatial } from './spatial.ts';

const SIDE = 8;
const ball: Ball = { norm: 'linf', eps: 0, bounds: [0, 1] };
const goal = classificationGoal([0], 2);

/** A picture with one bright pixel. */
function spot(x: number, y: number): Float32Array {
  const picture = new Float32Array(SIDE * SIDE);
  picture[y * SIDE + x] = 1;
  return picture;
}

/** Sees class 1 where more than half of the light is in the pixel (x, y). */
function sees(x: number, y: number): FunctionModel {
  return {
    sampleDims: [1, SIDE, SIDE],
    classes: 2,
    answer: (p) => [0.5, p[y * SIDE + x]!],
  };
}

describe('rotation and translation', () => {
  it('finds the one turn of the grid that reaches the goal', async () => {
    // A tenth of 8 pixels is 0.8: the light of (3, 3) reaches (4, 4) by one corner of the grid only.
    const { x, decided } = await attackFunction(spatial, sees(4, 4), goal, ball, spot(3, 3), {
      options: { rotation: 0 },
    });
    expect(decided.get(0)!.reached).toBe(true);
    expect(x[4 * SIDE + 4]).toBeCloseTo(0.64, 5);
    expect(decided.get(0)!.asked).toBeLessThanOrEqual(25);
  });

  it('turns a shift with the picture where that comes first, and so reaches farther along an axis', async () => {
    // Shifts of 2 pixels: two along both axes, turned by 45°, are 2.83 along one.
    const reaches = async (first: 'rotation' | 'shift') => {
      const options = { rotation: 45, translation: 0.25, first, angles: 3, shifts: 3 };
      // Two pixels at the bottom that see much of the spot only where it has gone 2.83 down from the middle of the picture.
      const far: FunctionModel = { ...sees(3, 7), answer: (p) => [0.3, p[7 * SIDE + 3]! + p[7 * SIDE + 4]!] };
      const pictures = new Float32Array(SIDE * SIDE);
      for (const at of [3 * SIDE + 3, 3 * SIDE + 4, 4 * SIDE + 3, 4 * SIDE + 4]) pictures[at] = 0.5;
      const { decided } = await attackFunction(spatial, far, goal, ball, pictures, { options });
      return decided.get(0)!.reached;
    };
    expect(await reaches('shift')).toBe(true);
    expect(await reaches('rotation')).toBe(false);
  });

  it('tries every turn of the grid once before it gives up', async () => {
    const { decided } = await attackFunction(spatial, sees(0, 7), goal, ball, spot(3, 3), {
      options: { angles: 4, shifts: 3 },
    });
    expect(decided.get(0)).toEqual({ reached: false, asked: 36 });
  });

  it('draws as many random turns as it is told', async () => {
    const { decided } = await attackFunction(spatial, sees(0, 7), goal, ball, spot(3, 3), {
      options: { search: 'random', tries: 7 },
    });
    expect(decided.get(0)).toEqual({ reached: false, asked: 7 });
  });

  it('climbs to a turn that no grid and few random draws meet', async () => {
    // A ridge: the more the light lies in (4, 4), the less the margin, and only nine tenths of it will do.
    const ridge: FunctionModel = { ...sees(4, 4), answer: (p) => [0.9, p[4 * SIDE + 4]!] };
    const found = async (search: 'climb' | 'random') => {
      const options = { rotation: 45, translation: 0.25, search, tries: 80 };
      const pictures = new Float32Array(SIDE * SIDE * 20);
      for (let i = 0; i < 20; i++) pictures.set(spot(3, 3), i * SIDE * SIDE);
      const labels = classificationGoal(new Array(20).fill(0), 2);
      const { decided } = await attackFunction(spatial, ridge, labels, ball, pictures, { options });
      for (const { asked } of decided.values()) expect(asked).toBeLessThanOrEqual(80);
      return [...decided.values()].filter(({ reached }) => reached).length;
    };
    const [climbed, drawn] = [await found('climb'), await found('random')];
    expect(climbed).toBeGreaterThan(15);
    expect(drawn).toBeLessThan(climbed / 2);
  });

  it('turns no further than it may', () => {
    const threat = spatial.threat!;
    const x0 = spot(3, 3);
    const example = (parameters: readonly number[]) => ({
      x: x0,
      x0,
      image: { channels: 1, height: SIDE, width: SIDE, layout: 'chw' } as const,
      bounds: [0, 1] as const,
      options: spatial.defaults,
      parameters: Float32Array.from(parameters),
      shared: new Float32Array(0),
    });
    expect(threat.violation(example([0, 0, 0]))).toBeUndefined();
    expect(threat.violation(example([31, 0, 0]))).toBe('turned or shifted too far');
    expect(threat.violation(example([0, 0.81, 0]))).toBe('turned or shifted too far');
    expect(threat.violation(example([0, 0, -0.81]))).toBe('turned or shifted too far');
    expect(threat.violation(example([5, 0, 0]))).toBe('not what its parameters make');
    expect(threat.describe(spatial.defaults)).toBe(
      'turned by up to 30° and shifted by up to 10 % of its size',
    );
    expect(threat.size(spatial.defaults)).toBe(30);
  });
});

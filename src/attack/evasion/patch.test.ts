import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { graph, model, node, value } from '../../onnx/model.fixture.ts';
import type { Model } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { attackModel } from '../model-run.fixture.ts';
import { patch } from './patch.ts';
import { drawnPlacement, placementOf } from './patch-threat.ts';

const CHANNELS = 3;
const SIDE = 10;
const SIZE = CHANNELS * SIDE * SIDE;
const N = 24;
const BALL: Ball = { norm: 'linf', eps: 0, bounds: [0, 1] };

/**
 * Three classes that look for red, green and blue anywhere: the mean of a channel where it outshines the others, so that a patch in one
 * colour works wherever it lies.
 */
function colours(): Model {
  return model(
    graph({
      inputs: [value('x', ['N', CHANNELS, SIDE, SIDE])],
      outputs: [value('z', ['N', 3])],
      nodes: [
        node('Conv', ['x', 'apart'], ['difference']),
        node('Relu', ['difference'], ['seen']),
        node('GlobalAveragePool', ['seen'], ['mean']),
        node('Flatten', ['mean'], ['flat']),
        node('Mul', ['flat', 'ten'], ['z']),
      ],
      initializers: {
        apart: float32Tensor([3, 3, 1, 1], [1, -0.5, -0.5, -0.5, 1, -0.5, -0.5, -0.5, 1]),
        ten: float32Tensor([], [10]),
      },
    }),
  );
}

/** Noise on grey, in which each class' own colour is a little stronger. */
const rng = randomFrom(3, 'patch');
const labels = Int32Array.from({ length: N }, (_, i) => i % 3);
const x0 = Float32Array.from({ length: N * SIZE }, (_, i) => {
  const [sample, channel] = [Math.floor(i / SIZE), Math.floor((i % SIZE) / SIDE ** 2)];
  return 0.3 + 0.1 * rng.uniform() + (labels[sample] === channel ? 0.05 : 0);
});

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

const run = (options: Parameters<typeof attackModel<Parameters<typeof patch.check>[0]>>[6]) =>
  attackModel(engine, colours(), patch, classificationGoal(labels, 3), BALL, x0, options);
const shares = (parameters: Float32Array) => Array.from({ length: N }, (_, i) => parameters[7 * i + 6]!);

describe('an adversarial patch', () => {
  it('works wherever it lies, and takes the colour of the class that it looks for', async () => {
    for (const target of [0, 1, 2]) {
      const options = { target, passes: 15, draws: 5, shape: 'square', relativeStep: 0.2 } as const;
      const { shared, parameters } = await run({ options });
      expect(shares(parameters)).toEqual(new Array(N).fill(1));
      // 4 × 4 texels of three channels.
      expect(shared.length).toBe(48);
      for (const [i, v] of shared.entries()) {
        if (Math.floor(i / 16) === target) expect(v).toBeGreaterThan(0.9);
        else expect(v).toBeLessThan(0.1);
      }
    }
  });

  it('is judged at its first placement, not at the best one', async () => {
    // Red, which works where it is large and bright enough.
    const known = Float32Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : 0));
    const options = { draws: 20, smallest: 0.2, contrast: 0.9 };
    const { x, parameters, reached } = await run({ options, known });
    const share = shares(parameters);
    const mixed = share.filter((s) => s > 0 && s < 1).length;
    expect(mixed).toBeGreaterThan(3);
    for (let i = 0; i < N; i++) {
      const drawn = drawnPlacement({ ...patch.defaults, ...options }, imageOf(), rngOf(i));
      expect(parameters.slice(7 * i, 7 * i + 6)).toEqual(drawn.slice(0, 6));
      if (share[i] === 1) expect(reached.get(i)).toBe(true);
      if (share[i] === 0) expect(reached.get(i)).toBe(false);
    }
    // As often as all placements say, within what chance allows.
    const fell = [...reached.values()].filter(Boolean).length / N;
    const mean = share.reduce((sum, s) => sum + s, 0) / N;
    expect(Math.abs(fell - mean)).toBeLessThan(0.3);
    expect(x.some((v, i) => v !== x0[i])).toBe(true);
  });

  it('changes only what it covers', async () => {
    const { x, parameters } = await run({ options: { passes: 1, draws: 1 } });
    for (let i = 0; i < N; i++) {
      const { x: middle, y, size } = placementOf(parameters.subarray(7 * i, 7 * i + 7));
      for (let k = 0; k < SIZE; k++) {
        const [row, column] = [Math.floor(k / SIDE) % SIDE, k % SIDE];
        if (Math.hypot(column - middle, row - y) < size / 2 + 0.5) continue;
        expect(x[i * SIZE + k]).toBe(x0[i * SIZE + k]);
      }
    }
  });

  it('is evener where it should be', async () => {
    const variation = (texels: Float32Array) => {
      let sum = 0;
      for (let i = 0; i < texels.length - 4; i++)
        if ((i + 1) % 4) sum += Math.abs(texels[i]! - texels[i + 1]!);
      return sum;
    };
    const [rough, even] = [
      await run({ options: { passes: 3 } }),
      await run({ options: { passes: 3, smooth: 1 } }),
    ];
    expect(variation(even.shared)).toBeLessThan(0.7 * variation(rough.shared));
  });

  it('is found on all samples, whichever are to be attacked, and once known only put on', async () => {
    const options = { passes: 2, draws: 3 };
    const whole = await run({ options });
    const part = await run({ options, todo: [4, 9] });
    expect(part.shared).toEqual(whole.shared);
    const known = await run({ options, todo: [4, 9], known: whole.shared });
    expect(known.gradient).toBe(0);
    expect(known.x).toEqual(part.x);
    for (const i of [4, 9]) {
      expect(known.reached.get(i)).toBe(whole.reached.get(i));
      expect(known.x.slice(i * SIZE, (i + 1) * SIZE)).toEqual(whole.x.slice(i * SIZE, (i + 1) * SIZE));
    }
  });

  it('refuses a target that is no class, and pictures without a range', async () => {
    await expect(run({ options: { target: 3 } })).rejects.toThrow(/expected target to be a class/);
    const open: Ball = { ...BALL, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
    const goal = classificationGoal(labels, 3);
    await expect(attackModel(engine, colours(), patch, goal, open, x0)).rejects.toThrow(/give --range/);
  });
});

const imageOf = () => ({ channels: CHANNELS, height: SIDE, width: SIDE, layout: 'chw' }) as const;
const rngOf = (sample: number) => randomFrom(1, 'patch', sample, 'placements');

describe('placements', () => {
  it('are drawn from all that the limits allow, wholly inside the picture', () => {
    const limits = {
      shape: 'circle',
      size: 0.5,
      smallest: 0.6,
      rotation: 30,
      brightness: 0.2,
      contrast: 0.3,
    } as const;
    const image = { ...imageOf(), width: 20 };
    const drawn = Array.from({ length: 2000 }, (_, i) =>
      placementOf(drawnPlacement(limits, image, randomFrom(i, 'draw'))),
    );
    const range = (of: (p: (typeof drawn)[number]) => number) => [
      Math.min(...drawn.map(of)),
      Math.max(...drawn.map(of)),
    ];
    const close = (found: readonly number[], [low, high]: readonly [number, number]) => {
      expect(found[0]).toBeGreaterThanOrEqual(low - 1e-6);
      expect(found[1]).toBeLessThanOrEqual(high + 1e-6);
      expect(found[1]! - found[0]!).toBeGreaterThan(0.95 * (high - low));
    };
    close(
      range((p) => p.size),
      [3, 5],
    );
    close(
      range((p) => p.angle),
      [-30, 30],
    );
    close(
      range((p) => p.brightness),
      [-0.2, 0.2],
    );
    close(
      range((p) => p.contrast),
      [0.7, 1.3],
    );
    close(
      range((p) => p.x - p.size / 2),
      [-0.5, 16.5],
    );
    close(
      range((p) => p.y + p.size / 2),
      [2.5, 9.5],
    );
  });
});

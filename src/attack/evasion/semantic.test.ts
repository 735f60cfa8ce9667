import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import type { Model } from '../../onnx/model.ts';
import { float32Tensor } from '../../onnx/tensor.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { classificationGoal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { changed } from '../../threat/picture/changes.ts';
import { opsOn } from '../../transform/ops.ts';
import { attackModel } from '../model-run.fixture.ts';
import { composite, type SemanticOptions, semantic } from './semantic.ts';

const IMAGE = { channels: 3, height: 4, width: 4, layout: 'chw' } as const;
const SIZE = 48;
const N = 6;
const ball: Ball = { norm: 'linf', eps: 0, bounds: [0, 1] };

let engine: Engine;
beforeAll(() => {
  engine = startEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** Two logits, `weights · x − threshold` and 0: linear in the picture. */
function linear(weights: (index: number) => number, threshold: number): Model {
  const b = opsOn(new GraphBuilder());
  const x = b.builder.input('x', 'float32', [N, 3, 4, 4]);
  const w = float32Tensor(
    [SIZE, 2],
    Array.from({ length: 2 * SIZE }, (_, i) => (i % 2 ? 0 : weights(i >> 1))),
  );
  const z = b.matmul(b.reshape(x, [N, SIZE]), b.builder.constant(w));
  return b.builder.build({ z: b.sub(z, b.builder.constant(float32Tensor([2], [threshold, 0]))) });
}

/** Pictures of one dull colour. */
const x0 = Float32Array.from({ length: N * SIZE }, (_, i) => [0.6, 0.5, 0.4][Math.floor(i / 16) % 3]!);
const NONE: SemanticOptions = {
  ...semantic.defaults,
  hue: 0,
  saturation: 0,
  rotation: 0,
  brightness: 0,
  contrast: 0,
};
const zeros = classificationGoal(new Int32Array(N), 2);

/** Runs on a model that is right while the mean of a channel is above `least`. */
const run = (attack: typeof semantic, channel: number, least: number, options: Partial<SemanticOptions>) => {
  const weights = (i: number) => (Math.floor(i / 16) === channel ? 1 / 16 : 0);
  return attackModel(engine, linear(weights, least), attack, zeros, ball, x0, { options });
};
const countOf = (reached: ReadonlyMap<number, boolean>) => [...reached.values()].filter(Boolean).length;

describe('semantic perturbations', () => {
  it.each([
    // Red of 0.6: what each part can take from it alone, and a little less.
    ['brightness', { brightness: 0.2 }, 0.405, 0.395],
    ['contrast', { contrast: 0.3 }, 0.425, 0.415],
    // At 0.2 of chroma: red falls to 0.4 at the opposite hue.
    ['hue', { hue: 180 }, 0.405, 0.395],
  ] as const)('reach as far as %s may go, and no further', async (_part, options, enough, tooFar) => {
    const sure = { ...NONE, ...options };
    expect(countOf((await run(semantic, 0, enough, sure)).reached)).toBe(N);
    expect(countOf((await run(semantic, 0, tooFar, sure)).reached)).toBe(0);
  });

  it('join their parts', async () => {
    const parts = { ...NONE, brightness: 0.2, contrast: 0.3 };
    // 0.6 × 0.7 − 0.2 = 0.22, or (0.6 − 0.2) × 0.7 = 0.28, whichever order is drawn.
    const { reached, parameters, x } = await run(semantic, 0, 0.29, parts);
    expect(countOf(reached)).toBe(N);
    const width = semantic.threat!.parameters.length;
    const orders = new Set<number>();
    for (let i = 0; i < N; i++) {
      const own = parameters.subarray(i * width, (i + 1) * width);
      orders.add(own[width - 1]!);
      const order =
        own[width - 1] === 0 ? (['brightness', 'contrast'] as const) : (['contrast', 'brightness'] as const);
      const made = changed({ image: IMAGE, bounds: [0, 1] }, x0.slice(0, SIZE), order, own);
      expect(x.slice(i * SIZE, (i + 1) * SIZE)).toEqual(made);
    }
    expect([...orders].sort()).toEqual([0, 1]);
  });

  it('keep a fixed order where told to', async () => {
    const parts = { ...NONE, brightness: 0.2, contrast: 0.3, order: 'fixed' } as const;
    // Brightness first: (0.6 − 0.2) × 0.7 is the end of it.
    expect(countOf((await run(semantic, 0, 0.285, parts)).reached)).toBe(N);
    expect(countOf((await run(semantic, 0, 0.275, parts)).reached)).toBe(0);
  });

  it('cost what they say', async () => {
    const parts = { ...NONE, brightness: 0.1, saturation: 0.1, steps: 4, rounds: 3 };
    const { gradient, forward } = await run(semantic, 0, 0, parts);
    const { gradients, evaluations } = semantic.cost(parts);
    expect(gradient).toBe(N * gradients);
    expect(forward).toBe(N * (gradients + evaluations));
  });

  it('refuse a range that is open', async () => {
    const open: Ball = { norm: 'linf', eps: 0, bounds: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
    const model = linear(() => 1, 0);
    await expect(attackModel(engine, model, semantic, zeros, open, x0)).rejects.toThrow(
      /semantic: expected bounds .+ give --range/,
    );
  });
});

describe('the composite attack', () => {
  it('adds a small change of every value, and no more', async () => {
    const parts = { ...NONE, brightness: 0.2, linf: 0.05 };
    expect(countOf((await run(composite, 0, 0.355, parts)).reached)).toBe(N);
    expect(countOf((await run(composite, 0, 0.345, parts)).reached)).toBe(0);
  });

  it('is checked: what goes beyond the small change is refused', async () => {
    const options = { ...NONE, brightness: 0.2, linf: 0.05 };
    const { x, parameters } = await run(composite, 0, 0.355, options);
    const example = (own: Float32Array) => ({
      x: own,
      x0: x0.slice(0, SIZE),
      image: IMAGE,
      bounds: [0, 1] as const,
      options,
      parameters: parameters.slice(0, 6),
      shared: new Float32Array(0),
    });
    const own = x.slice(0, SIZE);
    expect(composite.threat!.violation(example(own))).toBeUndefined();
    own[0]! -= 0.101;
    expect(composite.threat!.violation(example(own))).toBe('not what its parameters make');
  });
});

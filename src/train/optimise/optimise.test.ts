import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { f32, type HostTensor, i64 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { opsOn } from '../../transform/ops.ts';
import { adam, adamW } from './adam.ts';
import { AVERAGE, withAverage } from './average.ts';
import { clipByGlobalNorm } from './clip.ts';
import type { Optimiser } from './optimiser.ts';
import { sgd } from './sgd.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

type Numbers = readonly number[];

/** The weights after each step, and the slots after the last, as the graph computes them. */
async function run(
  optimiser: Optimiser,
  weights: Numbers,
  gradients: readonly Numbers[],
  rate: number,
  decays = true,
) {
  const b = opsOn(new GraphBuilder());
  const dims = [weights.length];
  const input = (name: string) => b.builder.input(name, 'float32', dims);
  const held = { weight: input('w'), slots: optimiser.slots.map(({ name }) => input(name)) };
  const moment = { step: b.builder.input('t', 'int64', []), rate: b.builder.input('rate', 'float32', []) };
  const next = optimiser.update(b, held, input('g'), moment, decays);
  const outputs = Object.fromEntries(next.slots.map((slot, i) => [`${optimiser.slots[i]!.name}_next`, slot]));
  const session = await engine.open(b.builder.build({ w_next: next.weight, ...outputs }));
  const state: Record<string, HostTensor> = { w: f32(Float32Array.from(weights), dims) };
  for (const { name, starts } of optimiser.slots)
    state[name] = f32(
      Float32Array.from(weights, (w) => (starts === 'at zero' ? 0 : w)),
      dims,
    );
  for (const [k, gradient] of gradients.entries()) {
    const feeds = {
      g: f32(Float32Array.from(gradient), dims),
      t: i64([k + 1], []),
      rate: f32(Float32Array.of(rate), []),
    };
    const given = Object.fromEntries(session.inputs.map((name) => [name, { ...state, ...feeds }[name]!]));
    const results = await session.run(given);
    for (const name of Object.keys(state)) state[name] = results[`${name}_next`]!;
  }
  await session.close();
  return Object.fromEntries(
    Object.entries(state).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

/** Adam's algorithm 1 in float64, with decay in the gradient or beside it. */
function adamReference(
  weights: Numbers,
  gradients: readonly Numbers[],
  rate: number,
  lambda: number,
  isApart: boolean,
) {
  const w = [...weights];
  const m = w.map(() => 0);
  const v = w.map(() => 0);
  for (const [k, plain] of gradients.entries())
    for (let i = 0; i < w.length; i++) {
      const g = plain[i]! + (isApart ? 0 : lambda * w[i]!);
      m[i] = 0.9 * m[i]! + 0.1 * g;
      v[i] = 0.999 * v[i]! + 0.001 * g ** 2;
      const mean = m[i]! / (1 - 0.9 ** (k + 1));
      const spread = Math.sqrt(v[i]! / (1 - 0.999 ** (k + 1)));
      w[i] = w[i]! - (rate * mean) / (spread + 1e-8) - (isApart ? rate * lambda * w[i]! : 0);
    }
  return w;
}

/** SGD as PyTorch documents it, in float64. */
function sgdReference(
  weights: Numbers,
  gradients: readonly Numbers[],
  rate: number,
  o: { mu: number; nesterov: boolean; lambda: number },
) {
  const w = [...weights];
  const v = w.map(() => 0);
  for (const plain of gradients)
    for (let i = 0; i < w.length; i++) {
      const g = plain[i]! + o.lambda * w[i]!;
      v[i] = o.mu * v[i]! + g;
      w[i] = w[i]! - rate * (o.nesterov ? g + o.mu * v[i]! : v[i]!);
    }
  return w;
}

const rng = randomFrom(7, 'optimisers');
const weights = Array.from({ length: 6 }, () => rng.normal());
const gradients = Array.from({ length: 12 }, () => Array.from({ length: 6 }, () => rng.normal()));

const close = (got: Numbers, expected: Numbers) => {
  for (const [i, v] of expected.entries()) expect(got[i]).toBeCloseTo(v, 5);
};

describe('optimisers', () => {
  it.each([
    ['adam', adam(), 0, false],
    ['adam with an L2 penalty', adam({ weightDecay: 0.1 }), 0.1, false],
    ['adamw', adamW({ weightDecay: 0.1 }), 0.1, true],
  ] as const)('%s follows its algorithm', async (_, optimiser, lambda, isApart) => {
    const { w } = await run(optimiser, weights, gradients, 0.05);
    close(w!, adamReference(weights, gradients, 0.05, lambda, isApart));
  });

  it.each([
    ['plain', {}, { mu: 0, nesterov: false, lambda: 0 }],
    ['with momentum', { momentum: 0.9 }, { mu: 0.9, nesterov: false, lambda: 0 }],
    [
      'with Nesterov and decay',
      { momentum: 0.8, nesterov: true, weightDecay: 0.01 },
      { mu: 0.8, nesterov: true, lambda: 0.01 },
    ],
  ])('sgd %s follows its formula', async (_, options, o) => {
    const { w } = await run(sgd(options), weights, gradients, 0.05);
    close(w!, sgdReference(weights, gradients, 0.05, o));
  });

  it.each([adam({ weightDecay: 0.1 }), adamW({ weightDecay: 0.1 }), sgd({ weightDecay: 0.1 })])(
    '$name leaves weights alone that do not decay',
    async (optimiser) => {
      const still = await run(optimiser, weights, [weights.map(() => 0)], 0.05, false);
      close(still.w!, weights);
      const decayed = await run(optimiser, weights, [weights.map(() => 0)], 0.05);
      expect(decayed.w).not.toEqual(still.w);
    },
  );

  it('an average follows the weights, quickly at first', async () => {
    const averaged = withAverage(sgd(), 0.6);
    const result = await run(averaged, weights, gradients.slice(0, 8), 0.1);
    const w = [...weights];
    const a = [...weights];
    for (let k = 0; k < 8; k++) {
      const d = Math.min(0.6, (k + 1) / (k + 10));
      for (let i = 0; i < w.length; i++) {
        w[i] = w[i]! - 0.1 * gradients[k]![i]!;
        a[i] = d * a[i]! + (1 - d) * w[i]!;
      }
    }
    close(result.w!, w);
    close(result[AVERAGE]!, a);
  });

  it.each<[string, () => Optimiser]>([
    ['beta1', () => adam({ beta1: 1 })],
    ['epsilon', () => adamW({ epsilon: 0 })],
    ['momentum', () => sgd({ momentum: 1 })],
    ['weightDecay', () => sgd({ weightDecay: -1 })],
    ['nesterov', () => sgd({ nesterov: true })],
    ['average', () => withAverage(sgd(), 1)],
  ])('refuse a wrong %s', (name, make) => {
    expect(make).toThrow(name);
  });
});

describe('clipByGlobalNorm', () => {
  it.each([
    ['a long gradient', 1, 5],
    ['a short one not at all', 10, 5],
  ])('shortens %s', async (_, most, norm) => {
    const b = opsOn(new GraphBuilder());
    const [x, y] = [b.builder.input('x', 'float32', [2]), b.builder.input('y', 'float32', [1, 2])];
    const clipped = clipByGlobalNorm(b, [x, y], most);
    const session = await engine.open(
      b.builder.build({ a: clipped.gradients[0]!, c: clipped.gradients[1]!, norm: clipped.norm }),
    );
    const {
      a,
      c,
      norm: length,
    } = await session.run({
      x: f32(Float32Array.of(3, 0), [2]),
      y: f32(Float32Array.of(0, -4), [1, 2]),
    });
    const factor = Math.min(1, most / 5);
    expect(Number(length!.data[0])).toBeCloseTo(norm);
    close([...(a!.data as Float32Array), ...(c!.data as Float32Array)], [3 * factor, 0, 0, -4 * factor]);
    await session.close();
  });
});

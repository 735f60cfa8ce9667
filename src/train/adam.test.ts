import { afterAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { f32, i64 } from '../runtime/array.ts';
import { startEngine } from '../runtime/engine.ts';
import { opsOn } from '../transform/ops.ts';
import { ADAM_DEFAULTS, type AdamOptions, adam, checkAdam } from './adam.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

/** Algorithm 1 of the paper with decoupled decay, in float64. */
function reference(weights: readonly number[], gradients: readonly number[][], rate: number, o: AdamOptions) {
  const w = [...weights];
  const m = w.map(() => 0);
  const v = w.map(() => 0);
  for (const [k, g] of gradients.entries()) {
    for (let i = 0; i < w.length; i++) {
      m[i] = o.beta1 * m[i]! + (1 - o.beta1) * g[i]!;
      v[i] = o.beta2 * v[i]! + (1 - o.beta2) * g[i]! ** 2;
      const mean = m[i]! / (1 - o.beta1 ** (k + 1));
      const spread = Math.sqrt(v[i]! / (1 - o.beta2 ** (k + 1)));
      w[i] = w[i]! - (rate * mean) / (spread + o.epsilon) - rate * o.weightDecay * w[i]!;
    }
  }
  return { w, m, v };
}

async function run(weights: readonly number[], gradients: readonly number[][], rate: number, o: AdamOptions) {
  const b = opsOn(new GraphBuilder());
  const input = (name: string) => b.builder.input(name, 'float32', [weights.length]);
  const [weight, first, second, g] = [input('w'), input('m'), input('v'), input('g')];
  const next = adam(
    b,
    { weight, first, second },
    g,
    b.builder.input('t', 'int64', []),
    b.builder.input('rate', 'float32', []),
    o,
  );
  const session = await engine.open(
    b.builder.build({ w_next: next.weight, m_next: next.first, v_next: next.second }),
  );
  const dims = [weights.length];
  let state = {
    w: f32(Float32Array.from(weights), dims),
    m: f32(new Float32Array(weights.length), dims),
    v: f32(new Float32Array(weights.length), dims),
  };
  for (const [k, gradient] of gradients.entries()) {
    const r = await session.run({
      ...state,
      g: f32(Float32Array.from(gradient), dims),
      t: i64([k + 1], []),
      rate: f32(Float32Array.of(rate), []),
    });
    state = { w: r.w_next!, m: r.m_next!, v: r.v_next! };
  }
  await session.close();
  return {
    w: Array.from(state.w.data, Number),
    m: Array.from(state.m.data, Number),
    v: Array.from(state.v.data, Number),
  };
}

describe('adam', () => {
  const rng = randomFrom(3, 'adam');
  const weights = Array.from({ length: 7 }, () => rng.normal());
  const gradients = Array.from({ length: 12 }, (_, k) =>
    weights.map((_, i) => rng.normal() * 10 ** (i - 4) * (k % 3 === 0 ? -1 : 1)),
  );

  it.each([
    ['the defaults', ADAM_DEFAULTS],
    ['weight decay', { ...ADAM_DEFAULTS, weightDecay: 0.3 }],
    ['other constants', { beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.1 }],
  ])('equals a float64 reference over twelve steps with %s', async (_, options) => {
    const got = await run(weights, gradients, 0.05, options);
    const want = reference(weights, gradients, 0.05, options);
    for (const key of ['w', 'm', 'v'] as const) {
      for (const [i, value] of want[key].entries())
        expect(Math.abs(got[key][i]! - value), `${key}[${i}]`).toBeLessThan(
          2e-6 * Math.max(1, Math.abs(value)),
        );
    }
  });

  it('moves by the learning rate in the first step, however small the gradient', async () => {
    const { w } = await run([1, 1], [[1e-4, -250]], 0.01, ADAM_DEFAULTS);
    expect(w[0]).toBeCloseTo(0.99, 5);
    expect(w[1]).toBeCloseTo(1.01, 5);
  });

  it.each([
    ['beta1', 1],
    ['beta2', -0.1],
    ['epsilon', 0],
    ['weightDecay', Number.NaN],
  ])('refuses %s %d', (name, value) => {
    expect(() => checkAdam({ ...ADAM_DEFAULTS, [name]: value })).toThrow(`${name}: expected`);
  });
});

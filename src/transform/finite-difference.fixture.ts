import { expect } from 'vitest';
import { randomFrom } from '../core/random.ts';
import { elementCount, numbersOf, type Tensor, tensorFrom } from '../onnx/tensor.ts';
import { vjp } from './gradient/vjp.ts';
import { type OneNode, oneNodeModel, openModel } from './one-node.fixture.ts';
import { specialise } from './specialise.ts';

/**
 * Holds the gradient of `Σ_k ⟨w_k, y_k⟩` (random `w`, all float outputs) with respect to the float64 inputs `wrt` against
 * central differences, in float64 throughout.
 */
export async function expectGradients(
  call: OneNode,
  wrt: readonly number[],
  tolerance = 1e-6,
): Promise<void> {
  const { b, inputs, outputs } = specialise(oneNodeModel(call));
  const rng = randomFrom(7);
  const weighted = [...outputs.values()].map((y) => {
    const weights = Array.from({ length: elementCount(y.dims) }, () => rng.uniform() - 0.5);
    return { value: y, grad: b.builder.constant(tensorFrom(y.dtype, y.dims, weights)) };
  });
  const total = weighted
    .map(({ value, grad }) =>
      b.sum(
        b.mul(value, grad),
        value.dims.map((_, i) => i),
      ),
    )
    .reduce((s, v) => b.add(s, v));
  const grads = vjp(
    b,
    weighted,
    wrt.map((i) => inputs.get(`x${i}`)!),
  );
  const model = b.builder.build({
    total,
    ...Object.fromEntries(grads.map((g, k) => [`grad${wrt[k]}`, g])),
  });
  const feeds = Object.fromEntries(call.inputs.flatMap((t, i) => (t ? [[`x${i}`, t]] : [])));
  const session = await openModel(model);
  const results = await session.run(feeds);
  const step = 1e-5;
  for (const i of wrt) {
    const x = call.inputs[i] as Tensor;
    const values = Array.from(numbersOf(x));
    // A few entries are enough: every entry goes through the same nodes.
    const chosen = Array.from({ length: Math.min(values.length, 6) }, () =>
      Math.floor(rng.uniform() * values.length),
    );
    for (const k of chosen) {
      const at = async (delta: number) => {
        const moved = values.map((v, j) => (j === k ? v + delta : v));
        const { total: t } = await session.run({ ...feeds, [`x${i}`]: tensorFrom('float64', x.dims, moved) });
        return t!.data[0]!;
      };
      const slope = ((await at(step)) - (await at(-step))) / (2 * step);
      expect(Math.abs(slope - results[`grad${i}`]!.data[k]!), `gradient of input ${i} at ${k}`).toBeLessThan(
        tolerance * Math.max(1, Math.abs(slope)),
      );
    }
  }
  await session.close();
}

import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import { float32Tensor, int64Tensor } from '../onnx/tensor.ts';
import { vjp } from './gradient/vjp.ts';
import {
  binaryCrossEntropy,
  binaryCrossEntropyGradient,
  crossEntropy,
  crossEntropyGradient,
  squaredError,
} from './loss.ts';
import { runModel } from './one-node.fixture.ts';
import { type Ops, opsOn } from './ops.ts';

const LOGITS = [
  [1, -2, 0.5],
  [0, 0, 0],
  [30, -30, 5],
  [1000, -1000, 999],
  [-80, -81, -79.5],
];
const LABELS = [0, 2, 1, 1, 2];

/** Runs what `write` makes of logits `[5, 3]`. */
async function run(write: (b: Ops, z: Value) => Readonly<Record<string, Value>>) {
  const b = opsOn(new GraphBuilder());
  const z = b.builder.input('z', 'float32', [5, 3]);
  const results = await runModel(b.builder.build(write(b, z)), { z: float32Tensor([5, 3], LOGITS.flat()) });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

const close = (got: readonly number[], want: readonly number[], relative = 2e-6) => {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => {
    expect(Math.abs(v - want[i]!), `entry ${i}: ${v} for ${want[i]}`).toBeLessThanOrEqual(
      relative * Math.max(Math.abs(want[i]!), 1e-36),
    );
  });
};

describe('cross-entropy', () => {
  const logSumExp = (z: readonly number[]) => {
    const top = Math.max(...z);
    return top + Math.log(z.reduce((s, v) => s + Math.exp(v - top), 0));
  };
  const labels = (b: Ops) => b.builder.constant(int64Tensor([5], LABELS));

  it('is log Σ exp z − z_y, for large logits too', async () => {
    const { loss } = await run((b, z) => ({ loss: crossEntropy(b, z, labels(b)) }));
    close(
      loss!,
      LOGITS.map((z, i) => logSumExp(z) - z[LABELS[i]!]!),
      1e-5,
    );
  });

  it('has a gradient with every entry right to float32 precision, the label’s included', async () => {
    const { grad } = await run((b, z) => ({ grad: crossEntropyGradient(b, z, labels(b)) }));
    const want = LOGITS.flatMap((z, i) => {
      const p = z.map((v) => Math.exp(v - logSumExp(z)));
      const y = LABELS[i]!;
      const others = p.reduce((s, v, j) => (j === y ? s : s + v), 0);
      return p.map((v, j) => (j === y ? -others : v));
    });
    close(grad!, want, 5e-6);
  });

  it('keeps the direction of the gradient where the model is sure of the label', async () => {
    const { grad } = await run((b, z) => ({
      grad: crossEntropyGradient(b, z, b.builder.constant(int64Tensor([5], [0, 0, 0, 0, 0]))),
    }));
    // Row 2: logits 30, −30, 5 and label 0.
    const row = grad!.slice(6, 9);
    close(row, [-Math.exp(-25), Math.exp(-60), Math.exp(-25)], 1e-5);
  });

  it('has the gradient that the chain rule gives', async () => {
    const { byHand, byRule } = await run((b, z) => {
      const loss = crossEntropy(b, z, labels(b));
      const [byRule] = vjp(b, [{ value: loss, grad: b.full([5], 1, 'float32') }], [z]);
      return { byHand: crossEntropyGradient(b, z, labels(b)), byRule: byRule! };
    });
    byHand!.forEach((v, i) => {
      expect(Math.abs(v - byRule![i]!)).toBeLessThan(1e-6);
    });
  });
});

describe('binary cross-entropy', () => {
  const TARGETS = [1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0];
  const targets = (b: Ops) => b.builder.constant(float32Tensor([5, 3], TARGETS));
  const flat = LOGITS.flat();

  it('is Σ softplus(z) − t·z over the outputs, for large logits too', async () => {
    const { loss } = await run((b, z) => ({ loss: binaryCrossEntropy(b, z, targets(b)) }));
    const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
    const want = LOGITS.map((row, r) =>
      row.reduce((s, v, k) => s + softplus(v) - TARGETS[r * 3 + k]! * v, 0),
    );
    loss!.forEach((v, i) => {
      expect(Math.abs(v - want[i]!)).toBeLessThan(1e-5 * Math.max(1, want[i]!));
    });
  });

  it('has a gradient with every entry right to float32 precision down to e^−80', async () => {
    const { grad } = await run((b, z) => ({ grad: binaryCrossEntropyGradient(b, z, targets(b)) }));
    const want = flat.map((v, i) => {
      const side = 1 - 2 * TARGETS[i]!;
      return side / (1 + Math.exp(-side * v));
    });
    close(grad!, want, 1e-5);
  });

  it('has the gradient that the chain rule gives', async () => {
    const { byHand, byRule } = await run((b, z) => {
      const loss = binaryCrossEntropy(b, z, targets(b));
      const [byRule] = vjp(b, [{ value: loss, grad: b.full([5], 1, 'float32') }], [z]);
      return { byHand: binaryCrossEntropyGradient(b, z, targets(b)), byRule: byRule! };
    });
    byHand!.forEach((v, i) => {
      expect(Math.abs(v - byRule![i]!)).toBeLessThan(1e-6);
    });
  });
});

describe('squared error', () => {
  it('is summed over a sample’s outputs', async () => {
    const { loss } = await run((b, z) => ({ loss: squaredError(b, z, b.full([5, 3], 1, 'float32')) }));
    close(
      loss!,
      LOGITS.map((row) => row.reduce((s, v) => s + (v - 1) ** 2, 0)),
    );
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { parseModel } from '../../onnx/read.ts';
import { numbersOf } from '../../onnx/tensor.ts';
import { serializeModel } from '../../onnx/write.ts';
import { f32 } from '../../runtime/array.ts';
import { startEngine } from '../../runtime/engine.ts';
import { specialise } from '../../transform/specialise.ts';
import { convNet } from './cnn.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

const net = (seed = 1) => convNet({ input: [3, 16, 16], classes: 5, channels: [16, 24], hidden: 32, seed });

describe('convNet', () => {
  it('is an ordinary model with a free batch', async () => {
    const model = parseModel(serializeModel(net()));
    expect(model.graph.inputs[0]!.type).toEqual({
      kind: 'tensor',
      dtype: 'float32',
      dims: ['batch', 3, 16, 16],
    });
    const session = await engine.open(model);
    for (const batch of [1, 7]) {
      const x = f32(new Float32Array(batch * 768).fill(0.25), [batch, 3, 16, 16]);
      expect((await session.run({ input: x })).logits!.dims).toEqual([batch, 5]);
    }
    await session.close();
  });

  it('can be written into a builder and built again under the same names', async () => {
    const trace = specialise(net(), { batch: 2 });
    const again = trace.b.builder.build({
      logits: trace.outputs.get('logits')!,
      other: trace.inputs.get('input')!,
    });
    const session = await engine.open(again);
    expect(session.outputs).toContain('other');
    await session.close();
  });

  it('draws weights of variance 2 / fan-in, the same for the same seed', () => {
    const { initializers } = net().graph;
    for (const [name, fanIn] of [
      ['conv1.weight', 27],
      ['conv2.weight', 144],
      ['dense.weight', 384],
    ] as const) {
      const w = Array.from(numbersOf(initializers.get(name)!));
      const variance = w.reduce((sum, v) => sum + v * v, 0) / w.length;
      expect((variance * fanIn) / 2).toBeGreaterThan(0.85);
      expect((variance * fanIn) / 2).toBeLessThan(1.15);
    }
    const bytes = (seed: number) => Buffer.from(serializeModel(net(seed)));
    expect(bytes(1).equals(bytes(1))).toBe(true);
    expect(bytes(1).equals(bytes(2))).toBe(false);
  });
});

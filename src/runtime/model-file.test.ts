import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32Tensor } from '../onnx/tensor.ts';
import { f32 } from './array.ts';
import { startEngine } from './engine.ts';
import { asFile } from './model-file.ts';

const engine = startEngine({ threads: 1 });
afterAll(() => engine.close());

describe('a model handed over as a file', () => {
  it('answers as it does from memory, and leaves nothing behind', async () => {
    const b = new GraphBuilder();
    const weights = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i));
    const [y] = b.add('MatMul', [
      b.input('x', 'float32', [1, 64]),
      b.constant(float32Tensor([64, 64], weights)),
    ]);
    const model = b.build({ y: y! });
    let place = '';
    const session = await asFile(model, (path) => {
      place = dirname(path);
      expect(existsSync(`${path}.data`)).toBe(true);
      return engine.open(path);
    });
    expect(existsSync(place)).toBe(false);
    const feeds = { x: f32(Float32Array.from({ length: 64 }, Math.cos), [1, 64]) };
    const whole = await engine.open(model);
    expect(await session.run(feeds)).toEqual(await whole.run(feeds));
  });

  it('leaves nothing behind where opening fails', async () => {
    const b = new GraphBuilder();
    const model = b.build({ y: b.add('Neg', [b.input('x', 'float32', [1])])[0]! });
    let place = '';
    const opened = asFile(model, async (path) => {
      place = dirname(path);
      throw new Error('no');
    });
    await expect(opened).rejects.toThrow('no');
    expect(existsSync(place)).toBe(false);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModel } from '../onnx/read.ts';
import { distance, randomTensor, runModel, specialised } from './one-node.fixture.ts';

const folder = join(process.env.GLACIS_SHARED ?? '../shared', 'models');

describe.skipIf(!existsSync(folder))('real models, specialised (needs GLACIS_SHARED)', () => {
  for (const name of ['mnist-gru', 'mnist-lstm', 'mnist-vit']) {
    it.each([1, 5])(
      `${name} gives the same logits at batch %i, in operators with gradients`,
      async (batch) => {
        const model = await readModel(join(folder, `${name}.onnx`));
        const built = specialised(model, { batch });
        expect(built.ops.filter((op) => ['GRU', 'LSTM', 'Shape', 'Where', 'Expand'].includes(op))).toEqual(
          [],
        );
        const input = randomTensor(name, [batch, 1, 28, 28], 0, 1);
        const want = await runModel(model, { input });
        const got = await runModel(built.model, { input });
        expect(got.logits_new!.dims).toEqual([batch, 10]);
        expect(distance(want.logits!, got.logits_new!)).toBeLessThan(1e-5);
      },
    );
  }
});

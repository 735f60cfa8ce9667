import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { readModel } from '../../src/onnx/read.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { adam, constant, madry, plain, type TrainingThreat, train } from '../../src/train/index.ts';
import { clock, done, environment, line } from './lines.ts';
import { samplesIn } from './samples.ts';

const NAMES = ['model', 'train', 'test', 'against', 'eps', 'epochs', 'batch', 'threads'] as const;

/**
 * Times epochs of the trainer as a user runs it, samples fed from memory, from the end of their first step to the end of their last; the
 * first epoch, in which kernels warm up, is not counted. Prints the accuracy on the test samples after the last, as they are and under PGD-10.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: Object.fromEntries(NAMES.map((name) => [name, { type: 'string' } as const])),
    strict: true,
  });
  const need = (name: (typeof NAMES)[number]): string => {
    const value = values[name];
    if (typeof value === 'string') return value;
    throw new GlacisError('option/invalid', `--${name}: expected a value`);
  };
  const threads = Number(values.threads ?? 2);
  const engine = startEngine({ threads });
  environment(threads);
  const threat: TrainingThreat = { norm: 'linf', eps: Number(need('eps')), steps: 10 };
  const epochs = Number(need('epochs'));
  let before = clock();
  let index = -1;
  const { epochs: history } = await train(
    engine,
    await readModel(need('model')),
    await samplesIn(need('train')),
    {
      epochs: epochs + 1,
      batch: Number(need('batch')),
      schedule: constant({ peak: 1e-3, warmUp: 0 }),
      optimiser: adam(),
      objective: need('against') === 'pgd' ? madry(threat) : plain(),
      seed: 0,
      validation: { samples: await samplesIn(need('test')), threat },
      progress({ done: step, total }) {
        if (step === 1) before = clock();
        if (step !== total) return;
        const after = clock();
        // The first epoch holds what happens once.
        if (index >= 0)
          line('repeat', { index, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
        index++;
      },
    },
  );
  const last = history.at(-1)!.validation!;
  line('accuracy', { clean: last.accuracy, robust: last.robust });
  await engine.close();
  done();
}

await main();

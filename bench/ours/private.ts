import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { readModel } from '../../src/onnx/read.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { accuracy } from '../../src/train/accuracy.ts';
import { constant, sgd, train, trainPrivately } from '../../src/train/index.ts';
import { epochClock } from './epoch-clock.ts';
import { done, environment, line } from './lines.ts';
import { samplesIn } from './samples.ts';

const NAMES = [
  'way',
  'model',
  'train',
  'test',
  'epochs',
  'batch',
  'rate',
  'noise',
  'clip',
  'threads',
] as const;

/**
 * Times epochs of private training (`--way private`) or of plain training of the same network by the same optimiser in batches of the same size
 * (`plain`), from the end of their first step to the end of their last; the first epoch, in which kernels warm up, is not counted.
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
  const threads = Number(need('threads'));
  const engine = startEngine({ threads });
  environment(threads, { way: need('way') });
  const [model, data, test] = [
    await readModel(need('model')),
    await samplesIn(need('train')),
    await samplesIn(need('test')),
  ];
  const batch = Number(need('batch'));
  const common = {
    epochs: Number(need('epochs')) + 1,
    batch,
    schedule: constant({ peak: Number(need('rate')), warmUp: 0 }),
    optimiser: sgd({ momentum: 0 }),
  };
  const tick = epochClock(Math.floor(data.y.length / batch));
  const trained =
    need('way') === 'plain'
      ? await train(engine, model, data, { ...common, seed: 1, onStep: ({ step }) => tick(step) })
      : await trainPrivately(engine, model, data, {
          ...common,
          noise: Number(need('noise')),
          clip: Number(need('clip')),
          delta: 1e-5,
          // The account is no part of an epoch; the quick one will do.
          accounting: { accountant: 'rdp' },
          progress: ({ done: step }) => tick(step),
        });
  line('accuracy', { clean: await accuracy(engine, trained.model, test), robust: 0 });
  await engine.close();
  done();
}

await main();

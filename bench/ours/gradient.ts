import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GlacisError } from '../../src/core/error.ts';
import { openFile } from '../../src/data/byte-source.ts';
import { openNpy, writeNpy } from '../../src/data/npy.ts';
import type { Model } from '../../src/onnx/model.ts';
import { readModel } from '../../src/onnx/read.ts';
import { f32, type HostTensor, i64 } from '../../src/runtime/array.ts';
import { type Engine, type Session, startEngine } from '../../src/runtime/engine.ts';
import { blockSizeOf } from '../../src/runtime/layout.ts';
import { openTarget } from '../../src/runtime/target.ts';
import { crossEntropy } from '../../src/train/criterion/cross-entropy.ts';
import { plain } from '../../src/train/objective/plain.ts';
import { adam } from '../../src/train/optimise/adam.ts';
import { trainableParameters } from '../../src/train/parameters.ts';
import { feedsOf, initialState } from '../../src/train/state.ts';
import { openStep } from '../../src/train/step/session.ts';
import { buildStep } from '../../src/train/step/step.ts';
import { vjp } from '../../src/transform/gradient/vjp.ts';
import { crossEntropyGradient } from '../../src/transform/loss.ts';
import { readFloats } from '../compare.ts';
import { done, environment, line, timeRepeats } from './lines.ts';

/**
 * Times Glacis as bench/peers/gradient.py times PyTorch. `forward` runs the model's file as it is deployed; `input` runs the
 * graph of the summed cross-entropy's gradient with respect to the input; `train` runs the trainer's whole step. Each run
 * goes through the engine's worker thread, copies included, as an attack's and a training's runs do.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const names = [
    'network',
    'model',
    'mode',
    'input',
    'labels',
    'out',
    'threads',
    'repeat',
    'warmup',
  ] as const;
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, text])),
    strict: true,
  });
  const need = (name: (typeof names)[number]): string => {
    const value = values[name];
    if (typeof value === 'string') return value;
    throw new GlacisError('option/invalid', `--${name}: expected a value`);
  };
  const threads = Number(values.threads ?? 2);
  const input = await readFloats(need('input'));
  const x = f32(Float32Array.from(input.data), input.shape);
  const labels = await readLabels(need('labels'));
  const engine = startEngine({ threads });
  environment(threads, { layout: 'nchw' });

  const path = need('model');
  const mode = need('mode');
  const out = need('out');
  const counts = [Number(values.warmup ?? 2), Number(values.repeat ?? 5)] as const;
  if (mode === 'train') await timeTraining(engine, await readModel(path), x, labels, out, counts);
  else {
    const { session, feeds } = await prepared(engine, mode, path, x, labels);
    const { logits, gradient } = await session.run(feeds);
    for (const [name, tensor] of Object.entries({ logits, gradient }))
      if (tensor)
        await writeNpy(join(out, `${name}.npy`), { data: tensor.data as Float32Array, shape: tensor.dims });
    line('outputs');
    // The gradient alone is fetched when it is timed, as the peer's program keeps nothing else.
    const fetches = [gradient ? 'gradient' : 'logits'];
    await timeRepeats(() => session.run(feeds, { fetches }), ...counts);
    await session.close();
  }
  await engine.close();
  done();
}

/**
 * Times the trainer's step, Adam included: weights and moments stay with the engine and samples travel to it, as they do
 * in a training. The first three losses are written before anything is timed.
 */
async function timeTraining(
  engine: Engine,
  model: Model,
  x: HostTensor,
  labels: HostTensor,
  out: string,
  counts: readonly [warmup: number, repeat: number],
): Promise<void> {
  const settings = {
    batch: x.dims[0]!,
    parameters: trainableParameters(model),
    criterion: crossEntropy(),
    objective: plain(),
    optimiser: adam(),
    block: await blockSizeOf(engine),
  };
  const step = buildStep(model, settings);
  const session = await openStep(engine, model, step, settings);
  const start = feedsOf(step, initialState(model, step, settings.optimiser));
  const fetches = Object.values(step.measures);
  let taken = 0;
  const next = async (): Promise<number> => {
    const results = await session.run(
      {
        ...(taken === 0 ? start : {}),
        [step.inputs.x]: { ...x, data: x.data.slice() },
        [step.inputs.targets]: { ...labels, data: labels.data.slice() },
        [step.inputs.step]: i64([++taken], []),
        [step.inputs.rate]: f32(Float32Array.of(1e-3), []),
      },
      { transfer: true, fetches },
    );
    return Number(results[step.measures.loss]!.data[0]);
  };
  const losses = Float32Array.of(await next(), await next(), await next());
  await writeNpy(join(out, 'losses.npy'), { data: losses, shape: [3] });
  line('outputs');
  await timeRepeats(next, ...counts);
  await session.close();
}

async function prepared(
  engine: Engine,
  mode: string,
  path: string,
  x: HostTensor,
  labels: HostTensor,
): Promise<{ session: Session; feeds: Readonly<Record<string, HostTensor>> }> {
  if (mode === 'forward') return { session: await engine.open(path), feeds: { input: x } };
  if (mode !== 'input')
    throw new GlacisError('option/invalid', `--mode: expected forward, input or train, got ${mode}`);
  const target = openTarget(engine, await readModel(path));
  const session = await target.compile('bench', x.dims[0]!, ({ b, x: attacked, logits }) => {
    const wanted = b.builder.input('labels', 'int64', [attacked.dims[0]!]);
    const [gradient] = vjp(b, [{ value: logits, grad: crossEntropyGradient(b, logits, wanted) }], [attacked]);
    return { logits, gradient: gradient! };
  });
  return { session, feeds: { [target.input]: x, labels } };
}

async function readLabels(path: string): Promise<HostTensor> {
  const array = await openNpy(await openFile(path), path, 2 ** 20);
  const data = await array.read(0, array.shape[0]!);
  await array.close();
  return i64(Array.from(data, Number));
}

await main();

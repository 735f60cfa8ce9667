import { parseArgs } from 'node:util';
import { runAttack } from '../../src/assess/evasion.ts';
import { judge } from '../../src/assess/subject.ts';
import { planAttack } from '../../src/attack/registry.ts';
import { GlacisError } from '../../src/core/error.ts';
import { silent } from '../../src/core/progress.ts';
import { adaptDataset } from '../../src/data/adapt.ts';
import { openDataset } from '../../src/data/open.ts';
import { readModel } from '../../src/onnx/read.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { openPredictor } from '../../src/runtime/predictor.ts';
import { openTarget } from '../../src/runtime/target.ts';
import { classificationGoal } from '../../src/threat/goal.ts';
import { clock, done, environment, line } from './lines.ts';

/**
 * Robust accuracy under PGD in the Linf ball without a random start, as bench/peers/pgd.py measures it: one whole program.
 * Ours does more for it: every example is verified and the deployed file judges it again.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const names = ['model', 'data', 'eps', 'step-size', 'steps', 'n', 'batch', 'threads'] as const;
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, text])),
    strict: true,
  });
  const need = (name: (typeof names)[number]): string => {
    const value = values[name];
    if (typeof value === 'string') return value;
    throw new GlacisError('option/invalid', `--${name}: expected a value`);
  };
  const [n, batch, threads] = [Number(need('n')), Number(need('batch')), Number(need('threads'))];
  const engine = startEngine({ threads });
  environment(threads, { layout: 'nchw' });

  const model = await readModel(need('model'));
  const target = openTarget(engine, model);
  const { input, sampleDims } = target;
  const predictor = await openPredictor(engine, model, {
    input,
    output: target.found.output,
    sampleDims,
    batch,
  });
  const data = await adaptDataset(
    await openDataset(need('data')),
    { name: input, dims: [null, ...sampleDims], dtype: 'float32' },
    { n },
  );
  const { x, labels } = await data.read(0, n);
  if (!labels) throw new GlacisError('data/mismatch', '--data: expected labels, got none');
  const plan = planAttack({
    name: 'pgd',
    options: { steps: Number(need('steps')), stepSize: Number(need('step-size')), restarts: 0 },
  });
  const ball = { norm: 'linf', eps: Number(need('eps')), bounds: [0, 1] } as const;
  const goal = classificationGoal(labels, target.classes);

  const before = clock();
  const options = { seed: 0, batch, firstSample: 0, progress: silent };
  const subject = { target, predictor, toLogits: (rows: Float32Array) => rows };
  const judged = await judge(subject, goal, x, n, undefined);
  const outcome = await runAttack(subject, plan, goal, ball, x, judged, options);
  const after = clock();
  line('repeat', { index: 0, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
  const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / n;
  const clean = 1 - share(judged.reached);
  line('accuracy', { clean, robust: clean - share(outcome.success) });
  await predictor.close();
  await target.close();
  await engine.close();
  done();
}

await main();

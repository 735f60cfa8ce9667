import { parseArgs } from 'node:util';
import { runAttack } from '../../src/assess/evasion.ts';
import { goalFor } from '../../src/assess/goal-for.ts';
import { load } from '../../src/assess/load.ts';
import { judge } from '../../src/assess/subject.ts';
import { planAttack } from '../../src/attack/registry.ts';
import { GlacisError } from '../../src/core/error.ts';
import { parseSpecs } from '../../src/core/options.ts';
import { silent } from '../../src/core/progress.ts';
import { elementCount } from '../../src/onnx/tensor.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { normFrom } from '../../src/threat/norm.ts';
import { median } from '../median.ts';
import { clock, done, environment, line } from './lines.ts';

const NAMES = [
  'model',
  'data',
  'attack',
  'norm',
  'eps',
  'n',
  'threads',
  'warmup',
  'repeat',
  'batch',
] as const;

/**
 * Times one attack as bench/peers/attacks.py does: from clean samples in memory to a verified figure. Counted are the deployed model's answers on
 * the clean samples, the attack on those that it gets right, and the verification of the examples on the deployed file. Model and data are loaded
 * before; `--warmup` samples are attacked once unseen, in which the graphs are compiled.
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
  const norm = normFrom(need('norm'));
  const eps = Number(need('eps'));
  const plan = planAttack(parseSpecs(need('attack'))[0]!);
  const engine = startEngine({ threads });
  const loaded = await load(engine, {
    model: need('model'),
    data: need('data'),
    n: Number(need('n')),
    ...(values.batch !== undefined && { batch: Number(values.batch) }),
  });
  const { subject, adapted, labels, task, bounds, batch } = loaded;
  const { x } = await adapted.read(0, adapted.n, undefined);
  const size = elementCount(subject.sampleDims);
  environment(threads, { batch });

  const evaluate = async (n: number) => {
    const goal = goalFor(task, labels.slice(0, n), subject.classes, undefined);
    const samples = x.subarray(0, n * size);
    const clean = await judge(subject, goal, samples, n, undefined);
    const outcome = await runAttack(subject, plan, goal, { norm, eps, bounds }, samples, clean, {
      seed: 0,
      batch,
      firstSample: 0,
      progress: silent,
    });
    const right = Array.from({ length: n }, (_, i) => i).filter((i) => !clean.reached[i]);
    const fell = right.filter((i) => outcome.success[i]);
    const middle = median(
      right.map((i) => (outcome.success[i] ? outcome.distance[i]! : Number.POSITIVE_INFINITY)),
    );
    return {
      clean: right.length / n,
      robust: (right.length - fell.length) / n,
      median: Number.isFinite(middle) ? middle : null,
      asked: (outcome.queries - n) / Math.max(1, right.length),
    };
  };
  const warmup = Math.min(adapted.n, Number(values.warmup ?? 0));
  if (warmup > 0) await evaluate(warmup);
  for (let index = 0; index < Number(values.repeat ?? 1); index++) {
    const before = clock();
    const answer = await evaluate(adapted.n);
    const after = clock();
    line('repeat', { index, wall: after.wall - before.wall, cpu: after.cpu - before.cpu });
    if (index === 0) line('accuracy', answer);
  }
  await loaded.close();
  await engine.close();
  done();
}

await main();

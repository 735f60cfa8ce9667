import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runAttack } from '../../src/assess/evasion.ts';
import { goalFor } from '../../src/assess/goal-for.ts';
import { type Loaded, load } from '../../src/assess/load.ts';
import { judge } from '../../src/assess/subject.ts';
import { planAttack } from '../../src/attack/registry.ts';
import { GlacisError } from '../../src/core/error.ts';
import { parseSpecs } from '../../src/core/options.ts';
import { silent } from '../../src/core/progress.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { normFrom } from '../../src/threat/norm.ts';
import { median } from '../median.ts';
import { line } from './lines.ts';

/** One line of the file that `--cases` names: an attack on samples `index` of a data set. */
interface Task {
  readonly model: string;
  readonly data: string;
  readonly attack: string;
  readonly norm: string;
  /** Radius within which an example counts; without, any distance counts. */
  readonly eps?: number;
  readonly index: readonly number[];
  readonly seed: number;
}

/**
 * How strong our attacks are: one JSON line `strength` for each line of `--cases`, with what bench/peers/strength.py says of a peer's. Examples count
 * as everywhere in Glacis: within ball and bounds, and judged by the model file itself.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { cases: { type: 'string' } }, strict: true });
  const tasks = readFileSync(values.cases ?? '', 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Task);
  const engine = startEngine({ threads: 1 });
  let open: { readonly model: string; readonly n: number; readonly loaded: Loaded } | undefined;
  for (const task of tasks) {
    const n = Math.max(...task.index) + 1;
    if (open?.model !== task.model || open.n !== n) {
      await open?.loaded.close();
      open = { model: task.model, n, loaded: await load(engine, { model: task.model, data: task.data, n }) };
    }
    line('strength', await measure(open.loaded, task));
  }
  await open?.loaded.close();
  await engine.close();
}

async function measure(loaded: Loaded, { attack, norm, eps, index, seed }: Task) {
  const { subject, adapted, labels, task, bounds, batch } = loaded;
  const { x } = await adapted.read(0, adapted.n, undefined);
  const goal = goalFor(task, labels.slice(0, adapted.n), subject.classes, undefined);
  const clean = await judge(subject, goal, x, adapted.n, undefined);
  const wrong = index.filter((i) => clean.reached[i]);
  if (wrong.length > 0)
    throw new GlacisError(
      'data/mismatch',
      `samples ${wrong.join()}: expected the labels, as the peer has them`,
    );
  // What is not attacked counts as wrong from the start.
  const chosen = new Set(index);
  const reached = Uint8Array.from({ length: adapted.n }, (_, i) => (chosen.has(i) ? 0 : 1));
  const ball = { norm: normFrom(norm), eps: eps ?? 1, bounds };
  const plan = planAttack(parseSpecs(attack)[0]!);
  const options = { seed, batch, firstSample: 0, progress: silent };
  const outcome = await runAttack(subject, plan, goal, ball, x, { reached }, options);
  // Attacks that seek the nearest example may find it further away.
  const most = eps === undefined ? Number.POSITIVE_INFINITY : eps * (1 + 1e-5) + 1e-6;
  const fell = index.filter((i) => outcome.success[i] && outcome.distance[i]! <= most);
  const fallen = new Set(fell);
  const middle = median(index.map((i) => (fallen.has(i) ? outcome.distance[i]! : Number.POSITIVE_INFINITY)));
  return {
    attacked: index.length,
    success: fell.length / index.length,
    median: Number.isFinite(middle) ? middle : null,
    queries: index.reduce((total, i) => total + outcome.asked[i]!, 0) / index.length,
    refused: outcome.refused,
  };
}

await main();

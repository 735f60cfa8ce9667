import { elementCount } from '../onnx/tensor.ts';
import { distance } from '../threat/norm.ts';
import { isWithin } from '../threat/violation.ts';
import type { Attack, AttackRun } from './attack.ts';

/** One attack of a cascade, with its options merged and checked. */
export interface Stage {
  /** Looks inside a ball, or for the nearest example, which then has to lie in the ball. */
  readonly attack: Attack<object>;
  readonly options: object;
}

/** A stage of an attack with some options of one's own. Errors: `option/invalid`. */
export function stageOf<Options extends object>(
  attack: Attack<Options>,
  options: Partial<Options> = {},
): Stage {
  const merged = { ...attack.defaults, ...options };
  attack.check(merged);
  return { attack: attack as unknown as Attack<object>, options: merged };
}

/** Batches whose samples go through all stages together. */
const BATCHES_TOGETHER = 4;

/**
 * Runs attacks one after another, each on the samples that still stand, for an attack in a ball that consists of several: its `parts` are
 * the stages' ids. A sample that stands after all of them keeps the example of the first stage, if that one looks inside the
 * ball, otherwise none.
 *
 * Samples go through the stages in groups of a few batches, so that an interrupted run goes on behind the last whole group. Stages draw
 * random numbers of their own. Progress counts a sample by the share of the stages behind it; the note says how many stand.
 * Errors: those of the stages.
 */
export async function runCascade(run: AttackRun<unknown>, stages: readonly Stage[]): Promise<void> {
  const { todo, batch, progress, decided } = run;
  const asked = new Map<number, number>();
  let fallen = 0;
  for (let from = 0; from < todo.length; from += BATCHES_TOGETHER * batch) {
    const group = todo.slice(from, from + BATCHES_TOGETHER * batch);
    let standing: readonly number[] = group;
    for (const [number, stage] of stages.entries()) {
      if (standing.length === 0) break;
      const fell = new Set<number>();
      let stood = 0;
      await runStage(run, stage, standing, number === 0, (sample, hasFallen, queries) => {
        asked.set(sample, (asked.get(sample) ?? 0) + queries);
        if (hasFallen) {
          fallen++;
          fell.add(sample);
          decided?.(sample, true, asked.get(sample), stage.attack.id);
        } else stood++;
        const open = standing.length - fell.size;
        const behind = group.length - open + (open * number + stood) / stages.length;
        const note = `${stage.attack.id}: ${todo.length - fallen} stand`;
        progress({ label: '', done: Math.floor(from + behind), total: todo.length, note });
      });
      standing = standing.filter((sample) => !fell.has(sample));
    }
    for (const sample of standing) decided?.(sample, false, asked.get(sample));
  }
}

/** Runs one stage from the clean samples; the rows of those that do not fall become what they were, but for the first stage in a ball. */
async function runStage(
  run: AttackRun<unknown>,
  { attack, options }: Stage,
  standing: readonly number[],
  isFirst: boolean,
  decided: (sample: number, hasFallen: boolean, queries: number) => void,
): Promise<void> {
  const { x, x0, ball, oracle } = run;
  const size = elementCount(oracle.sampleDims);
  const rowOf = (from: Float32Array, sample: number) => from.subarray(sample * size, (sample + 1) * size);
  const before = new Map(standing.map((sample) => [sample, rowOf(x, sample).slice()]));
  for (const sample of standing) rowOf(x, sample).set(rowOf(x0, sample));
  await attack.run({
    ...run,
    options,
    todo: standing,
    rng: (sample, ...keys) => run.rng(sample, attack.id, ...keys),
    progress: () => {},
    decided(sample, reached, queries = 0) {
      const hasFallen = reached && isWithin(ball, distance(ball.norm, x, x0, sample * size, size));
      if (!hasFallen && !(isFirst && attack.seeks === 'ball')) rowOf(x, sample).set(before.get(sample)!);
      decided(sample, hasFallen, queries);
    },
  });
}

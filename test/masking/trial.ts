import { runAttack } from '../../src/assess/evasion.ts';
import { attacksAt } from '../../src/assess/levels.ts';
import type { Loaded } from '../../src/assess/load.ts';
import { openSubject } from '../../src/assess/open-subject.ts';
import { cellRecord, enterOutcome } from '../../src/assess/record.ts';
import type { RanCell } from '../../src/assess/reliability/attack-facts.ts';
import { judgeReliability } from '../../src/assess/reliability/judge-reliability.ts';
import type { Reliability } from '../../src/assess/reliability/reliability.ts';
import { judge, type Subject } from '../../src/assess/subject.ts';
import { type PlannedAttack, planAttack } from '../../src/attack/registry.ts';
import { parseSpecs, type Spec } from '../../src/core/options.ts';
import { silent } from '../../src/core/progress.ts';
import type { Model } from '../../src/onnx/model.ts';
import type { Engine } from '../../src/runtime/engine.ts';
import { classificationGoal, type Goal } from '../../src/threat/goal.ts';
import type { Ball } from '../../src/threat/norm.ts';
import type { Base } from './bases.ts';

/** A model with samples, as an assessment has them. */
export interface Trial {
  readonly loaded: Loaded;
  readonly goal: Goal;
  readonly x: Float32Array;
  /** 1 where the model is right. */
  readonly correct: Uint8Array;
  close(): Promise<void>;
}

/** Opens `model` on the samples of `base`. */
export async function openTrial(engine: Engine, model: Model, { x, labels, dims }: Base): Promise<Trial> {
  const n = labels.length;
  const size = x.length / n;
  const { subject, batch, randomised } = await openSubject(engine, {
    model,
    deployed: model,
    input: model.graph.inputs[0]!.name,
    sampleDims: dims,
    fixed: {},
    output: undefined,
    batch: 32,
    first: { x: x.slice(0, Math.min(8, n) * size), count: Math.min(8, n) },
    signal: undefined,
  });
  const goal = classificationGoal(labels, subject.classes);
  const { reached } = await judge(subject, goal, x, n, undefined);
  const read = async (start: number, count: number) => ({
    x: x.slice(start * size, (start + count) * size),
    indices: Int32Array.from({ length: count }, (_, i) => start + i),
    count,
  });
  return {
    // What no check reads is left out.
    loaded: {
      subject,
      batch,
      randomised,
      labels,
      width: 1,
      task: 'classification',
      bounds: [0, 1],
      constraint: undefined,
      adapted: { n, read },
    } as unknown as Loaded,
    goal,
    x,
    correct: reached.map((wrong) => (wrong ? 0 : 1)),
    close: () => closeSubject(subject),
  };
}

async function closeSubject({ target, predictor }: Subject): Promise<void> {
  await target?.close();
  await predictor.close();
}

/** Runs attacks, named as on the command line. `surrogate` is for transfer. */
export function attackTrial(
  trial: Trial,
  attacks: string,
  ball: Ball,
  surrogate?: Trial,
): Promise<readonly RanCell[]> {
  return runPlans(trial, parseSpecs(attacks).map(planSpec), ball, surrogate);
}

/**
 * The checks at Linf `eps` after `attacks`, or as `glacis assess` gives them when it is told nothing: after those of the quick level, which with a
 * `surrogate` are preceded by `transfer` from it.
 */
export async function checkTrial(
  trial: Trial,
  eps: number,
  { attacks, surrogate }: { readonly attacks?: string; readonly surrogate?: Trial } = {},
): Promise<Reliability> {
  const { subject } = trial.loaded;
  const ball: Ball = { norm: 'linf', eps, bounds: [0, 1] };
  const specs =
    attacks === undefined
      ? attacksAt('quick', {
          norm: 'linf',
          whiteBox: true,
          image: true,
          surrogate: surrogate !== undefined,
          obstacles: subject.target!.obstacles,
        })
      : parseSpecs(attacks);
  return judgeReliability(trial.loaded, await runPlans(trial, specs.map(planSpec), ball, surrogate), trial, {
    norm: 'linf',
    eps,
    seed: 0,
    tolerance: undefined,
    signal: undefined,
    progress: silent,
  });
}

const planSpec = (spec: Spec): PlannedAttack => planAttack(spec);

async function runPlans(
  { loaded: { subject, batch, adapted }, goal, x, correct }: Trial,
  plans: readonly PlannedAttack[],
  ball: Ball,
  surrogate?: Trial,
): Promise<readonly RanCell[]> {
  const cells: RanCell[] = [];
  for (const plan of plans) {
    const outcome = await runAttack(
      subject,
      plan,
      goal,
      ball,
      x,
      { reached: correct.map((right) => (right ? 0 : 1)) },
      { seed: 0, batch, firstSample: 0, progress: silent, surrogate: surrogate?.loaded.subject.target },
    );
    const record = cellRecord('classification', adapted.n, subject.classes);
    enterOutcome(record, 0, outcome);
    const { norm, eps } = ball;
    cells.push({
      cell: { plan, measure: norm, eps, radii: [eps], perSample: `${plan.attack.id}.npz` },
      record,
    });
  }
  return cells;
}

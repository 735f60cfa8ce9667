import { apgdAgain } from '../../attack/evasion/apgd-again.ts';
import { EVASION_ATTACKS, type PlannedAttack, planned } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Goal } from '../../threat/goal.ts';
import type { Ball, Norm } from '../../threat/norm.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';
import { type CellRecord, cellRecord, enterOutcome } from '../record.ts';
import type { Finding } from '../result.ts';
import type { RunState } from '../run-cells.ts';
import type { Cell } from '../summarise.ts';
import { areProbabilities } from './probability-outputs.ts';
import { repeatedAnswers } from './repeated-answers.ts';
import {
  fewClasses,
  probabilityOutputs,
  randomisedModel,
  squareBeatsGradients,
  zeroGradients,
} from './self-check-findings.ts';
import { isNoticed, type SquareShare, squareShare, whiteBoxAgain } from './square-share.ts';
import { startGradients } from './start-gradients.ts';

/** What the checks showed, and what was run on the way: further attacks count in the worst case. */
export interface SelfChecks {
  readonly findings: readonly Finding[];
  readonly further: readonly { readonly cell: Cell; readonly record: CellRecord }[];
  /** `false` where the signal came first. */
  readonly finished: boolean;
}

/** How {@link runSelfChecks} runs. */
export interface SelfCheckOptions {
  readonly seed: number;
  readonly tolerance: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

/** Samples that the checks of the model itself take. */
const SAMPLES = 100;
/** Bytes of samples up to which gradient attacks are run again. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * AutoAttack's checks of itself and of the model, once all attacks have run: does the model answer at random or with probabilities,
 * does the gradient vanish, are there fewer classes than the losses need, and did Square do better than the gradient attacks? In
 * that case these try again with more restarts before anything is blamed. Cost: five answers and a gradient for each of at most 100
 * samples; the second look at most 5,000 gradients for each sample in question.
 */
export async function runSelfChecks(
  loaded: Loaded,
  norm: Norm,
  cells: readonly Cell[],
  state: RunState,
  options: SelfCheckOptions,
): Promise<SelfChecks> {
  const findings: Finding[] = [];
  const further: { cell: Cell; record: CellRecord }[] = [];
  try {
    findings.push(...(await modelChecks(loaded, norm, cells, state, options)));
    for (const [i, cell] of cells.entries()) {
      const { parts, seeks } = cell.plan.attack;
      if (seeks !== 'ball' || !parts?.includes('square')) continue;
      const share = squareShare(parts, state.clean.correct, state.cells[i]!.record);
      const noticed = isNoticed(share.only.length, share.n);
      const again = noticed ? await lookAgain(loaded, norm, cell, share, options) : undefined;
      if (again) further.push({ cell: again.cell, record: again.record });
      findings.push(...squareBeatsGradients({ share, again: again?.facts }));
    }
    return { findings, further, finished: true };
  } catch (thrown) {
    if (!(thrown instanceof GlacisError && thrown.code === 'run/cancelled')) throw thrown;
    return { findings, further, finished: false };
  }
}

async function modelChecks(
  { subject, adapted, labels, width, task, bounds, constraint, batch }: Loaded,
  norm: Norm,
  cells: readonly Cell[],
  { clean }: RunState,
  { seed, tolerance, signal }: SelfCheckOptions,
): Promise<readonly Finding[]> {
  const n = Math.min(SAMPLES, adapted.n);
  const { x } = await adapted.read(0, n, signal);
  const goal: Goal = goalFor(task, labels.slice(0, n * width), subject.classes, tolerance);
  const outputs = await subject.predictor.predict(x, n, signal);
  subject.queries.forward += n;
  const right = Array.from({ length: n }, (_, i) => i).filter((i) => clean.correct[i]);
  const inBalls = cells.filter(({ plan }) => plan.attack.seeks === 'ball');
  const ball: Ball = { norm, eps: Math.max(0, ...inBalls.map(({ eps }) => eps)), bounds, constraint };
  const { target, oracle, queries } = subject;
  const rng = (sample: number) => randomFrom(seed, 'self-check', sample);
  return [
    ...randomisedModel(await repeatedAnswers(subject, goal, x, n, signal)),
    ...probabilityOutputs({
      areProbabilities: task === 'classification' && areProbabilities(outputs, subject.classes),
      isStripped: subject.activation !== undefined,
    }),
    ...(target && right.length > 0 && ball.eps > 0 && norm !== 'l0'
      ? zeroGradients(
          await startGradients({ target, oracle, queries, goal, batch, rng, signal }, right, x, ball),
        )
      : []),
    ...fewClasses({
      task,
      classes: subject.classes,
      attacks: cells.flatMap(({ plan }) => targetsOf(plan)),
    }),
  ];
}

/** The attacks of a plan that name classes, and how many. */
function targetsOf({
  attack,
  options,
}: PlannedAttack): readonly { readonly id: string; readonly targets: number }[] {
  if ('targets' in options) return [{ id: attack.id, targets: Number(options.targets) }];
  return (attack.parts ?? []).flatMap((id) => {
    const part = EVASION_ATTACKS.find((one) => one.id === id);
    return part && 'targets' in part.defaults ? [{ id, targets: Number(part.defaults.targets) }] : [];
  });
}

/** The gradient attacks once more, on what only Square broke and what stands. Nothing where the samples are too many to hold. */
async function lookAgain(
  { subject, adapted, labels, task, bounds, constraint, batch }: Loaded,
  norm: Norm,
  { eps, perSample }: Cell,
  share: SquareShare,
  { seed, tolerance, signal, progress }: SelfCheckOptions,
) {
  const size = elementCount(subject.sampleDims);
  if (!subject.target || 4 * size * adapted.n > MOST_BYTES) return undefined;
  const { x } = await adapted.read(0, adapted.n, signal);
  const goal = goalFor(task, labels, subject.classes, tolerance);
  const ball: Ball = { norm, eps, bounds, constraint };
  const { outcome, missed, more } = await whiteBoxAgain(subject, goal, ball, x, share, {
    seed,
    batch,
    firstSample: 0,
    signal,
    progress: (update) => progress({ ...update, label: `${apgdAgain.id} (what only square broke)` }),
  });
  const record = cellRecord(task, adapted.n, subject.classes);
  // Samples that were not in question count as decided: this run says nothing about them.
  enterOutcome(record, 0, outcome);
  const cell: Cell = {
    plan: planned(apgdAgain),
    measure: norm,
    eps,
    radii: [eps],
    perSample: perSample.replace(/^[^/]*?(?=-)/, apgdAgain.id),
    note: `attacked only the ${share.only.length} samples that nothing but square broke and the ${share.standing.length} that stood`,
  };
  return { cell, record, facts: { missed, more, complete: outcome.complete } };
}

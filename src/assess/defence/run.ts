import type { PlannedAttack } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { checkClean } from '../../threat/constraint/clean-samples.ts';
import type { Goal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { pressing } from '../../threat/pressing-goal.ts';
import { type Outcome, runAttack } from '../evasion.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';
import { judge, type Subject } from '../subject.ts';
import type { DetectorRun } from './detector-run.ts';
import { type DefencePlans, type DefenceRecord, enterDetected, enterRow } from './record.ts';
import type { Attacker, DetectorRow } from './result.ts';

/** Both models, and the detector of the defended one. */
export interface DefenceModels {
  readonly plain: Loaded;
  readonly guarded: Loaded;
  readonly detector: DetectorRun | undefined;
}

/** What {@link runDefence} runs with. */
export interface DefenceRun {
  readonly seed: number;
  /** Samples to leave out at the start. */
  readonly skip: number;
  readonly tolerance: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
}

/** Some samples, read and ready. */
interface Part {
  /** Number of the first among those that count, and in the data. */
  readonly start: number;
  readonly first: number;
  readonly count: number;
  readonly total: number;
  readonly x0: Float32Array;
  readonly goal: Goal;
  readonly ball: Ball;
}

/** Bytes of samples held at once (three times over). */
const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Runs all attackers on all samples and enters what they leave standing. An attack on a model that draws at random presses on after its
 * first success, which may have been luck. Examples for the defended model that were made on the undefended one press on as well; the
 * undefended model counts as fallen where either run fooled it. Errors: those of reading and of the attacks; `run/cancelled`.
 */
export async function runDefence(
  models: DefenceModels,
  plans: DefencePlans,
  ball: Ball,
  record: DefenceRecord,
  run: DefenceRun,
): Promise<void> {
  const { plain, guarded } = models;
  const { adapted, subject, labels, width, task } = plain;
  const size = elementCount(subject.sampleDims);
  const step = Math.max(plain.batch, guarded.batch, Math.floor(CHUNK_BYTES / (4 * size)));
  const total = adapted.n - run.skip;
  for (let start = 0; start < total; start += step) {
    const first = start + run.skip;
    const { x, count, indices } = await adapted.read(first, Math.min(step, total - start), run.signal);
    if (ball.constraint) checkClean(ball.constraint, x, size, (row) => indices[row]!);
    const own = labels.slice(first * width, (first + count) * width);
    const goal = goalFor(task, own, subject.classes, run.tolerance);
    await runPart(models, plans, { start, first, count, total, x0: x, goal, ball }, record, run);
  }
}

async function runPart(
  { plain, guarded, detector }: DefenceModels,
  plans: DefencePlans,
  part: Part,
  record: DefenceRecord,
  run: DefenceRun,
): Promise<void> {
  const { start, count, x0, goal } = part;
  const { signal } = run;
  const press = pressing(goal);
  const wrong = {
    plain: (await judge(plain.subject, goal, x0, count, signal)).reached,
    guarded: (await judge(guarded.subject, goal, x0, count, signal)).reached,
  };
  const onPlain = (plan: PlannedAttack, sought?: Goal) =>
    attack(part, plain.subject, plain.batch, plan, wrong.plain, { ...run, sought, what: 'undefended' });
  const onGuarded = (plan: PlannedAttack, sought?: Goal, subject = guarded.subject) =>
    attack(part, subject, guarded.batch, plan, wrong.guarded, { ...run, sought, what: 'defended' });
  const passed = await detector?.passes(x0, count, signal);
  if (passed) record.passed.set(passed, start);
  const known = passed?.map((one, i) => (one && !wrong.guarded[i] ? 1 : 0));
  const detect = async (attacker: DetectorRow['attacker'], x: Float32Array, fallen: Uint8Array) => {
    if (detector && known)
      enterDetected(record, attacker, known, fallen, await detector.passes(x, count, signal));
  };
  const enter = (attacker: Attacker, fallenPlain: Uint8Array, fallenGuarded: Uint8Array) =>
    enterRow(record, attacker, start, fallenPlain, fallenGuarded);
  enter('clean', wrong.plain, wrong.guarded);

  const stopping = await onPlain(plans.plain);
  const further = await onPlain(plans.plain, press);
  const fallenPlain = either(wrong.plain, stopping.success, further.success);
  const examples = stronger(further, stopping, x0.length / count);
  const unaware = (await judge(guarded.subject, goal, examples, count, signal)).reached;
  const worstGuarded = [wrong.guarded, unaware];
  enter('unaware', fallenPlain, either(wrong.guarded, unaware));
  await detect('unaware', examples, unaware);

  // The first success on a model that draws at random may have been luck.
  const sought = guarded.randomised ? press : undefined;
  const defended = async (
    attacker: 'direct' | 'adaptive' | 'margin' | 'asking',
    plan: PlannedAttack,
    beside: Uint8Array,
    goalSought?: Goal,
  ) => {
    const { x, success } = await onGuarded(plan, goalSought);
    const fallen = either(wrong.guarded, success);
    worstGuarded.push(fallen);
    enter(attacker, beside, fallen);
    await detect(attacker, x, fallen);
  };
  await defended('direct', plans.direct, fallenPlain, sought);
  if (plans.adaptive) await defended('adaptive', plans.adaptive, fallenPlain, sought);
  const marginPlain = either(wrong.plain, (await onPlain(plans.margin.plain)).success);
  await defended('margin', plans.margin.guarded, marginPlain, sought);
  const askingPlain = either(wrong.plain, (await onPlain(plans.asking)).success);
  await defended('asking', plans.asking, askingPlain);
  enter('worst', either(fallenPlain, marginPlain, askingPlain), either(...worstGuarded));

  if (detector) {
    const { x, success } = await onGuarded(detector.plan, press, detector.aware);
    await detect('detector-aware', x, either(wrong.guarded, success));
  }
}

/** Runs one attack to its end. Errors: `run/cancelled`. */
async function attack(
  { first, start, total, x0, goal, ball }: Part,
  subject: Subject,
  batch: number,
  plan: PlannedAttack,
  wrong: Uint8Array,
  {
    seed,
    signal,
    progress,
    sought,
    what,
  }: DefenceRun & { readonly sought: Goal | undefined; readonly what: string },
): Promise<Outcome> {
  const label = `${plan.attack.id}, ${what}`;
  const outcome = await runAttack(
    subject,
    plan,
    goal,
    ball,
    x0,
    { reached: wrong },
    {
      seed,
      batch,
      firstSample: first,
      sought,
      signal,
      progress: ({ done, total: todo = 0, ...rest }) =>
        progress({ ...rest, label, done: start + wrong.length - todo + done, total }),
    },
  );
  if (!outcome.complete)
    throw new GlacisError('run/cancelled', 'defend: stopped before all attacks were done');
  return outcome;
}

/** 1 where one of them is. */
function either(...all: readonly Uint8Array[]): Uint8Array {
  return all[0]!.map((_, i) => (all.some((each) => each[i]) ? 1 : 0));
}

/** The examples that press on, but those that stopped at a success where only they have one. */
function stronger(further: Outcome, stopping: Outcome, size: number): Float32Array {
  const x = further.x.slice();
  for (const [i, success] of stopping.success.entries())
    if (success && !further.success[i]) x.set(stopping.x.subarray(i * size, (i + 1) * size), i * size);
  return x;
}

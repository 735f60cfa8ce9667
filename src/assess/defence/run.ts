import type { PlannedAttack } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import type { Progress } from '../../core/progress.ts';
import { checkClean } from '../../threat/constraint/clean-samples.ts';
import type { Goal } from '../../threat/goal.ts';
import type { Ball } from '../../threat/norm.ts';
import { pressing } from '../../threat/pressing-goal.ts';
import type { Rights } from '../compare/contrast.ts';
import { type Outcome, runAttack } from '../evasion.ts';
import { goalFor } from '../goal-for.ts';
import type { Loaded } from '../load.ts';
import { judge, type Subject } from '../subject.ts';
import type { DetectorRun } from './detector-run.ts';
import type { Attacker, DetectorRow } from './result.ts';

/** The attacks on both models. */
export interface DefencePlans {
  /** On the undefended model, past whatever stands in its own gradient's way. */
  readonly plain: PlannedAttack;
  readonly direct: PlannedAttack;
  /** `undefined` where it would be the direct one again. */
  readonly adaptive: PlannedAttack | undefined;
  /** On either model, past what stands in its gradient's way. */
  readonly margin: { readonly plain: PlannedAttack; readonly guarded: PlannedAttack };
  readonly asking: PlannedAttack;
}

/** What is known of each sample under one attacker: 1 where a model is right. */
export interface AttackerRecord {
  readonly attacker: Attacker;
  readonly attack: PlannedAttack | undefined;
  readonly undefended: Rights;
  readonly defended: Rights;
}

/** All that was found, filled from the first sample on. */
export interface DefenceRecord {
  readonly rows: readonly AttackerRecord[];
  /** Clean samples that the detector lets through. */
  readonly passed: Rights;
  /** Counts of the detector, by attacker. */
  readonly detected: Map<DetectorRow['attacker'], { n: number; fooled: number; rejected: number }>;
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

/** Bytes of samples held at once (three times over). */
const CHUNK_BYTES = 64 * 2 ** 20;

/** An empty record of `n` samples. */
export function recordOf(plans: DefencePlans, n: number): DefenceRecord {
  const row = (attacker: Attacker, attack?: PlannedAttack): AttackerRecord => ({
    attacker,
    attack,
    undefended: new Uint8Array(n),
    defended: new Uint8Array(n),
  });
  return {
    rows: [
      row('clean'),
      row('unaware', plans.plain),
      row('direct', plans.direct),
      ...(plans.adaptive ? [row('adaptive', plans.adaptive)] : []),
      row('margin', plans.margin.guarded),
      row('asking', plans.asking),
      row('worst'),
    ],
    passed: new Uint8Array(n),
    detected: new Map(),
  };
}

/**
 * Runs all attackers on all samples and enters what they leave standing. An attack on a model that draws at random presses on after its first success, which may have been
 * luck. Examples for the defended model that were made on the undefended one press on as well; the undefended model counts as fallen where either run fooled it.
 */
export async function runDefence(
  models: { readonly plain: Loaded; readonly guarded: Loaded; readonly detector: DetectorRun | undefined },
  plans: DefencePlans,
  ball: Ball,
  record: DefenceRecord,
  run: DefenceRun,
): Promise<void> {
  const { plain, guarded, detector } = models;
  const { adapted, subject, labels, width, task } = plain;
  const size = subject.sampleDims.reduce((product, d) => product * d, 1);
  const step = Math.max(plain.batch, guarded.batch, Math.floor(CHUNK_BYTES / (4 * size)));
  const n = adapted.n - run.skip;
  const { signal } = run;
  for (let start = 0; start < n; start += step) {
    const from = start + run.skip;
    const { x: x0, count, indices } = await adapted.read(from, Math.min(step, n - start), signal);
    if (ball.constraint) checkClean(ball.constraint, x0, size, (row) => indices[row]!);
    const part = labels.slice(from * width, (from + count) * width);
    const goal = goalFor(task, part, subject.classes, run.tolerance);
    const label = (what: string) => ({ seed: run.seed, firstSample: from, what, done: start, total: n });
    const attacked = (
      loaded: Loaded,
      on: Subject,
      plan: PlannedAttack,
      wrong: Uint8Array,
      what: string,
      sought?: Goal,
    ) => attack(loaded, on, plan, ball, goal, x0, wrong, sought, { ...run, ...label(what) });
    const cleanPlain = (await judge(plain.subject, goal, x0, count, signal)).reached;
    const cleanGuarded = (await judge(guarded.subject, goal, x0, count, signal)).reached;
    const passed = detector && (await detector.passes(x0, count, signal));
    if (passed) record.passed.set(passed, start);
    const enter = (attacker: Attacker, wrongPlain: Uint8Array, wrongGuarded: Uint8Array) => {
      const row = record.rows.find((each) => each.attacker === attacker)!;
      for (let i = 0; i < count; i++) {
        row.undefended[start + i] = wrongPlain[i] ? 0 : 1;
        row.defended[start + i] = wrongGuarded[i] ? 0 : 1;
      }
    };
    const detect = async (attacker: DetectorRow['attacker'], x: Float32Array, wrong: Uint8Array) => {
      if (!detector || !passed) return;
      const through = await detector.passes(x, count, signal);
      const counts = record.detected.get(attacker) ?? { n: 0, fooled: 0, rejected: 0 };
      for (let i = 0; i < count; i++) {
        if (cleanGuarded[i] || !passed[i]) continue;
        counts.n++;
        if (!wrong[i]) continue;
        counts.fooled++;
        if (!through[i]) counts.rejected++;
      }
      record.detected.set(attacker, counts);
    };
    enter('clean', cleanPlain, cleanGuarded);

    const stopping = await attacked(plain, plain.subject, plans.plain, cleanPlain, 'undefended');
    const further = await attacked(
      plain,
      plain.subject,
      plans.plain,
      cleanPlain,
      'undefended, pressing on',
      pressing(goal),
    );
    const fallenPlain = either(cleanPlain, stopping.success, further.success);
    const examples = stronger(further, stopping, size);
    const unaware = either(
      cleanGuarded,
      (await judge(guarded.subject, goal, examples, count, signal)).reached,
    );
    enter('unaware', fallenPlain, unaware);
    await detect('unaware', examples, unaware);

    const sought = guarded.randomised ? pressing(goal) : undefined;
    const direct = await attacked(
      guarded,
      guarded.subject,
      plans.direct,
      cleanGuarded,
      'defended, directly',
      sought,
    );
    const fallenDirect = either(cleanGuarded, direct.success);
    enter('direct', fallenPlain, fallenDirect);
    await detect('direct', direct.x, fallenDirect);

    let fallenAdaptive = cleanGuarded;
    if (plans.adaptive) {
      const adaptive = await attacked(
        guarded,
        guarded.subject,
        plans.adaptive,
        cleanGuarded,
        'defended, adaptively',
        sought,
      );
      fallenAdaptive = either(cleanGuarded, adaptive.success);
      enter('adaptive', fallenPlain, fallenAdaptive);
      await detect('adaptive', adaptive.x, fallenAdaptive);
    }

    const both = async (
      attacker: 'margin' | 'asking',
      onPlain: PlannedAttack,
      onGuarded: PlannedAttack,
      sought?: Goal,
    ) => {
      const first = await attacked(plain, plain.subject, onPlain, cleanPlain, 'undefended');
      const then = await attacked(guarded, guarded.subject, onGuarded, cleanGuarded, 'defended', sought);
      const fallen = [either(cleanPlain, first.success), either(cleanGuarded, then.success)] as const;
      enter(attacker, ...fallen);
      await detect(attacker, then.x, fallen[1]);
      return fallen;
    };
    const margin = await both('margin', plans.margin.plain, plans.margin.guarded, sought);
    const asking = await both('asking', plans.asking, plans.asking);
    enter(
      'worst',
      either(fallenPlain, margin[0], asking[0]),
      either(unaware, fallenDirect, fallenAdaptive, margin[1], asking[1]),
    );

    if (detector) {
      const aware = await attacked(
        guarded,
        detector.aware,
        detector.plan,
        cleanGuarded,
        'detector',
        pressing(goal),
      );
      await detect('detector-aware', aware.x, either(cleanGuarded, aware.success));
    }
  }
}

/** Runs one attack to its end. Errors: `run/cancelled`. */
async function attack(
  { batch }: Loaded,
  subject: Subject,
  plan: PlannedAttack,
  ball: Ball,
  goal: Goal,
  x0: Float32Array,
  wrong: Uint8Array,
  sought: Goal | undefined,
  run: DefenceRun & {
    readonly firstSample: number;
    readonly what: string;
    readonly done: number;
    readonly total: number;
  },
): Promise<Outcome> {
  const outcome = await runAttack(
    subject,
    plan,
    goal,
    ball,
    x0,
    { reached: wrong },
    {
      seed: run.seed,
      batch,
      firstSample: run.firstSample,
      sought,
      signal: run.signal,
      progress: ({ done, total = 0, ...rest }) =>
        run.progress({
          ...rest,
          label: `${plan.attack.id}, ${run.what}`,
          done: run.done + wrong.length - total + done,
          total: run.total,
        }),
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

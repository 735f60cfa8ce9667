import { basename } from 'node:path';
import { type PlannedAttack, planAttack } from '../../attack/registry.ts';
import { GlacisError } from '../../core/error.ts';
import { parseSpecs, type Spec } from '../../core/options.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { readModel } from '../../onnx/read.ts';
import type { Device } from '../../runtime/device.ts';
import { startEngine } from '../../runtime/engine.ts';
import type { Ball, Norm } from '../../threat/norm.ts';
import { DEFENCES_KEY } from '../../transform/defence/defend.ts';
import { checkAccess, checkPlan, defaultEps } from '../budget.ts';
import { pairedContrast, type Rights, rateOf } from '../compare/contrast.ts';
import { environmentOf } from '../environment.ts';
import { passing } from '../levels.ts';
import { type Loaded, type LoadOptions, load } from '../load.ts';
import { openDetector } from './detector-run.ts';
import { recordOf } from './record.ts';
import { DEFENCE_SCHEMA, type DefenceEvaluation, type DefenceModel, type DefenceRow } from './result.ts';
import { runDefence } from './run.ts';

/** Makes the examples on both models: strong, without a step size to tune, and it knows steps and draws. */
export const DEFENCE_ATTACK = 'apgd-ce(steps=50)';

/** The attack whose loss no scale of the logits changes: a defence that makes a model very sure of itself does not stop it. */
const MARGIN = 'apgd-dlr(steps=50)';

/** The attack that only asks: it sees no gradient, so that a defence cannot hide one from it. */
const ASKING = 'square(queries=300)';

/** Samples where none are asked for: a minute or two for a small model. */
export const DEFENCE_SAMPLES = 200;

/** Two files, data, and how large a change may be. The options of loading are the same for both. */
export interface EvaluateOptions extends Omit<LoadOptions, 'surrogate'> {
  /** Path of the defended file; `model` is the undefended one. */
  readonly defended: string;
  /** Samples at the start that something was fitted on; they are left out. */
  readonly skip?: number | undefined;
  /** {@link DEFENCE_ATTACK} without. It must need gradients and look inside a ball. */
  readonly attack?: Spec | undefined;
  readonly norm: Norm;
  /** Radius; a default for the norm without. */
  readonly eps?: number | undefined;
  readonly seed?: number | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  readonly progress?: Progress | undefined;
  /** The command line that gives the same result. */
  readonly command?: string | undefined;
  /** Milliseconds since 1970. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Attacks a model before and after it was defended on the same samples, as attackers who know more and more of the defence would, and
 * verifies every example on the file. The row `worst` is what the defence is worth; the difference to `unaware` is what it only seems to be
 * (Athalye et al. 2018, Tramèr et al. 2020).
 * Errors: those of loading, `option/invalid`, `run/failed`, `run/cancelled`. Cost: the attack twice on the undefended model and up to twice
 * on the defended one, once more where there is a detector, and on each an attack on margins and 300 questions a sample.
 */
export async function evaluateDefence(options: EvaluateOptions): Promise<DefenceEvaluation> {
  const clock = options.clock ?? Date.now;
  const startedAt = new Date(clock()).toISOString();
  const { norm, seed = 0, signal, skip = 0 } = options;
  const base = options.attack ?? parseSpecs(DEFENCE_ATTACK)[0]!;
  checkAttack(planAttack(base), norm);
  const [margin, asking] = parseSpecs(`${MARGIN}, ${ASKING}`) as [Spec, Spec];
  for (const spec of [margin, asking]) checkPlan(planAttack(spec), norm);
  const engine = startEngine({
    ...(options.device && { device: options.device }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  const open: Loaded[] = [];
  try {
    const common = {
      ...options,
      n: options.n === undefined ? undefined : options.n + skip,
      most: DEFENCE_SAMPLES + skip,
    };
    const opened = async (model: string, output: string | undefined) => {
      const loaded = await load(engine, { ...common, model, output });
      open.push(loaded);
      return loaded;
    };
    const plain = await opened(options.model, options.output);
    const guarded = await opened(options.defended, plain.subject.target?.found.output ?? options.output);
    for (const note of plain.dataNotes) options.say?.(note);
    for (const each of open) checkAccess(planAttack(base), each.subject);
    checkSame(plain, guarded);
    const { adapted, dataset, bounds, constraint } = plain;
    if (skip >= adapted.n)
      throw new GlacisError(
        'option/invalid',
        `data: expected more than the ${skip} samples that the defence was fitted on, got ${adapted.n}`,
      );
    const ball: Ball = { norm, eps: options.eps ?? defaultEps(norm, bounds), bounds, constraint };
    const file = await readModel(options.defended, signal ? { signal } : {});
    const detector = await openDetector(engine, file, guarded, base, options);
    const through = passing(base, guarded.subject.target?.obstacles);
    const plans = {
      plain: planAttack(passing(base, plain.subject.target?.obstacles)),
      direct: planAttack(base),
      adaptive: isSame(through, base) ? undefined : planAttack(through),
      margin: {
        plain: planAttack(passing(margin, plain.subject.target?.obstacles)),
        guarded: planAttack(passing(margin, guarded.subject.target?.obstacles)),
      },
      asking: planAttack(asking),
    };
    const record = recordOf(plans, adapted.n - skip);
    try {
      await runDefence({ plain, guarded, detector }, plans, ball, record, {
        seed,
        skip,
        tolerance: options.tolerance,
        signal,
        progress: options.progress ?? silent,
      });
    } finally {
      await detector?.close();
    }
    return {
      schema: DEFENCE_SCHEMA,
      undefended: modelOf(options.model, plain),
      defended: modelOf(options.defended, guarded),
      defences: file.metadata.get(DEFENCES_KEY) ?? '',
      randomised: guarded.randomised,
      data: {
        digest: adapted.digest,
        n: adapted.n - skip,
        description: dataset.describe,
        notes: [
          ...plain.dataNotes,
          ...(skip > 0 ? [`the first ${skip} samples were left out: the defence was fitted on them`] : []),
        ],
        ...(adapted.classes && { classNames: adapted.classes }),
      },
      norm,
      eps: ball.eps,
      seed,
      environment: environmentOf(engine),
      ...(options.command !== undefined && { command: options.command }),
      startedAt,
      finishedAt: new Date(clock()).toISOString(),
      rows: record.rows.map(({ attacker, attack, undefended, defended }): DefenceRow => {
        const text = attack && describePlan(attack);
        return { attacker, ...(text !== undefined && { attack: text }), ...contrastOf(undefended, defended) };
      }),
      ...(detector && { detector: detector.result(record) }),
    };
  } finally {
    for (const loaded of open) await loaded.close().catch(() => {});
    await engine.close();
  }
}

/** Both rates and how they differ. */
function contrastOf(undefended: Rights, defended: Rights) {
  const { difference, interval, pairs, p } = pairedContrast(undefended, defended);
  return {
    undefended: rateOf(undefended),
    defended: rateOf(defended),
    difference,
    interval,
    pairs: pairs!,
    p,
  };
}

function modelOf(path: string, { source, modelNotes }: Loaded): DefenceModel {
  return { name: basename(path), digest: source.digest, notes: modelNotes };
}

function checkAttack(plan: PlannedAttack, norm: Norm): void {
  checkPlan(plan, norm);
  const { id, needs, seeks } = plan.attack;
  if (needs !== 'gradient' || seeks !== 'ball')
    throw new GlacisError(
      'option/invalid',
      `--attack: expected one that takes gradients and looks for an example within eps, got ${id}`,
    );
}

function checkSame(plain: Loaded, guarded: Loaded): void {
  const form = ({ subject }: Loaded) =>
    `samples [${subject.sampleDims.join(', ')}] and ${subject.classes} outputs`;
  if (form(plain) !== form(guarded))
    throw new GlacisError(
      'data/mismatch',
      `defended model: expected ${form(plain)}, as the undefended one has, got ${form(guarded)}`,
    );
}

const isSame = (a: Spec, b: Spec) => JSON.stringify(a) === JSON.stringify(b);

/** The attack with the options that differ from its defaults. */
function describePlan({ attack, options }: PlannedAttack): string {
  const own = Object.entries(options).filter(
    ([key, value]) => (attack.defaults as Readonly<Record<string, unknown>>)[key] !== value,
  );
  return own.length === 0
    ? attack.id
    : `${attack.id}(${own.map(([key, value]) => `${key}=${value}`).join(', ')})`;
}

import { join } from 'node:path';
import { type Comparison, compareAssessments } from '../assess/index.ts';
import { openTrainingConstraint } from '../assess/open-training-constraint.ts';
import { GlacisError } from '../core/error.ts';
import type { Engine } from '../runtime/engine.ts';
import { type Gathered, gather } from '../train/gather.ts';
import type { Material } from '../train/material.ts';
import type { TrainingConstraint } from '../train/objective/inner-attack.ts';
import { usualEps } from '../train/plan/objective.ts';
import { planPrivateTraining } from '../train/plan/private-training.ts';
import { checkPrivateStart } from '../train/private/private-start.ts';
import type { TrainingRecord } from '../train/record.ts';
import { inputOf, openStartingModel, outputsOf, type StartingModel } from '../train/starting-model.ts';
import { ASSESSMENT, measure, measured } from './measure.ts';
import { type HardeningIdentity, NOTEBOOK, type NotedPlan, readNotebook, writeNotebook } from './notebook.ts';
import type { HardenOptions } from './options.ts';
import { measurePace, measurePrivatePace } from './pace.ts';
import { planHardening, SHARE } from './plan.ts';
import { planPrivateHardening } from './private-plan.ts';
import { bothWords, costWords, privacyWords } from './private-words.ts';
import {
  given,
  privateWishes,
  TRAINING_FILES,
  trainedBefore,
  trainForPrivacy,
  trainRobustly,
} from './training.ts';
import { changesIn, outcomeWords } from './words.ts';

/** What hardening came to. */
export interface Hardened {
  readonly record: TrainingRecord;
  readonly plan: NotedPlan | undefined;
  readonly comparison: Comparison;
  /** What was gained and what it cost, a sentence each. */
  readonly words: readonly string[];
}

/** Files in the folder of a hardening. */
export const FILES = { ...TRAINING_FILES, before: 'before', after: 'after' } as const;

/** Share of the training data by which the best epoch is told, where choosing is not spending. */
const HELD_BACK = 0.05;

/**
 * Hardens a model: measures it, trains it for the goal within the time, measures it again on the same samples in the same way, and
 * compares sample by sample. Everything goes into `out`; an interrupted run goes on with `resume`.
 *
 * For the goals `private` and `both` the weights are drawn anew unless the user gives his word that they are public: a model that was trained on
 * the samples is not made private by training it on.
 * Errors: those of `assess`, `openStartingModel`, `gather`, `produce` and `producePrivately`; `run/cancelled`; `option/invalid` for a budget that is too
 * short.
 */
export async function harden(engine: Engine, options: HardenOptions): Promise<Hardened> {
  const { out, seed, signal, say, privacy, goal } = options;
  const isPrivate = goal !== 'robust';
  if (isPrivate !== (privacy !== undefined))
    throw new GlacisError(
      'option/invalid',
      `hardening: expected what may be spent for the goals private and both only, got ${privacy ? 'it' : 'nothing'} for ${goal}`,
    );
  const isFresh = options.reinitialise || (privacy !== undefined && !privacy.publicWeights);
  const start = await openStartingModel(options.model, {
    reinitialise: isFresh ? seed : undefined,
    floatTwin: options.floatTwin,
    signal,
  });
  if (privacy) checkPrivateStart(start, privacy.publicWeights);
  const gathered = await gather({
    data: options.data,
    seed,
    share: isPrivate ? 0 : HELD_BACK,
    reading: { ...options.reading, input: inputOf(start.model), signal },
  });
  const { training, validation } = gathered;
  for (const note of [...start.notes, ...training.notes]) say(`Note: ${note}`);
  if (isPrivate && isFresh)
    say(
      'The weights are drawn anew: a model that was trained on these samples would give them away, however privately it was trained on.',
    );
  const eps = epsFor(options, training);
  const constraint =
    options.constraint === undefined
      ? undefined
      : await openTrainingConstraint(
          options.constraint,
          [training, ...(validation ? [validation] : [])],
          signal,
        );
  const notes = join(out, NOTEBOOK);
  const identity = identityOf(options, {
    model: start.digest,
    data: training.digest,
    constraint: constraint?.digest,
    eps,
  });
  const known = options.resume ? await readNotebook(notes, identity) : undefined;
  // Planned first: that the time is too short is said before any of it is spent.
  const plan = known?.plan ?? (await planFor(engine, options, { start, gathered, eps, constraint }));
  const writeNote = (isMeasured: boolean, isTrained: boolean) =>
    writeNotebook(notes, { identity, isMeasured, ...(plan ? { plan } : {}), isTrained });
  if (!known) await writeNote(false, false);
  for (const reason of plan?.reasons ?? []) say(`Plan: ${reason}.`);
  const folders = [FILES.before, FILES.after].map((name) => join(out, name)) as [string, string];
  if (!known?.isMeasured) {
    say('Measuring the model as it is …');
    await measure(options, { model: options.model, folder: folders[0], eps, training });
  }
  const { data } = await measured(folders[0]);
  if (data.digest === training.dataSet)
    throw new GlacisError(
      'data/mismatch',
      `hardening: expected other samples to measure on than to learn from, got ${options.test} with the same digest as ${options.data}`,
    );
  let record: TrainingRecord;
  if (known?.isTrained) record = await trainedBefore(out);
  else {
    await writeNote(true, false);
    const lesson = { engine, options, start, gathered, plan, constraint };
    record = privacy
      ? await trainForPrivacy(lesson, privacy, () => writeNote(true, true))
      : await trainRobustly(lesson);
    await writeNote(true, true);
  }
  say('Measuring the hardened model …');
  await measure(options, { model: join(out, FILES.model), folder: folders[1], eps, training });
  const comparison = await compareAssessments(
    folders.map((folder) => join(folder, ASSESSMENT)),
    { signal },
  );
  const words = await wordsFor(goal, record, comparison, folders);
  return { record, plan, comparison, words };
}

async function wordsFor(
  goal: HardenOptions['goal'],
  { privacy }: TrainingRecord,
  comparison: Comparison,
  folders: readonly [string, string],
): Promise<readonly string[]> {
  if (!privacy) return outcomeWords(comparison);
  const [before, after] = await Promise.all(folders.map(measured));
  const promised = privacyWords(privacy, before!.generalisation, after!.generalisation);
  const { attacked, clean, robust, accuracy } = changesIn(comparison);
  return goal === 'both'
    ? [...attacked, ...clean, ...promised, bothWords(robust), costWords(accuracy)]
    : [...promised, ...clean, costWords(accuracy)];
}

/** The radius: what was said, what is usual, and for a private goal nothing where nothing is usual. */
function epsFor({ eps, goal, norm }: HardenOptions, training: Material): number {
  if (eps !== undefined) return eps;
  const isUsual = training.isRanged && norm === 'linf' && training.shape.length === 3;
  return goal === 'private' && !isUsual ? 0 : usualEps({ ...training, norm }, '--eps');
}

/** What is left to plan, planned; nothing where objective and epochs were said. */
async function planFor(
  engine: Engine,
  options: HardenOptions,
  {
    start,
    gathered,
    eps,
    constraint,
  }: {
    readonly start: StartingModel;
    readonly gathered: Gathered;
    readonly eps: number;
    readonly constraint: TrainingConstraint | undefined;
  },
): Promise<NotedPlan | undefined> {
  const { norm, seed, signal, privacy, goal } = options;
  const { training } = gathered;
  const seconds = options.budget * SHARE;
  if (privacy) {
    const wishes = privateWishes(privacy);
    const { against, epochs } = wishes;
    const isAttacked = goal === 'both' ? eps : undefined;
    if (epochs !== undefined && (goal === 'private' || against !== undefined)) return undefined;
    const timed = {
      ...wishes,
      norm,
      ...(isAttacked === undefined ? {} : { against: `pgd(eps=${eps}, steps=1)` }),
    };
    const planned = planPrivateTraining(timed, training, undefined, outputsOf(start.model), constraint);
    return planPrivateHardening({
      pace: await measurePrivatePace(engine, start.model, training, planned, { signal }),
      n: training.n,
      batch: planned.options.batch!,
      seconds,
      eps: isAttacked,
      against,
      epochs,
    });
  }
  const { batch = 64, against, epochs } = options.wishes;
  if (against !== undefined && epochs !== undefined) return undefined;
  const wishes = { ...given(options.wishes), norm, seed, batch };
  return planHardening({
    norm,
    eps,
    bounds: training.bounds,
    n: training.n,
    batch,
    pace: await measurePace(engine, start.model, training, { wishes, eps, constraint, signal }),
    seconds,
    seed,
    against,
    epochs,
    isConstrained: constraint !== undefined,
  });
}

/** What decides the course of a hardening. */
function identityOf(
  options: HardenOptions,
  found: Readonly<Record<'model' | 'data', string>> & {
    readonly constraint: string | undefined;
    readonly eps: number;
  },
): HardeningIdentity {
  const { goal, test, reading, budget, wishes, privacy, attacks, level, tested, norm, seed } = options;
  return {
    ...{ ...found, goal, test, reading, budget, wishes: given(wishes) },
    privacy: privacy && { ...privacy, wishes: given(privacy.wishes) },
    ...{ attacks, level, tested, norm, seed },
  };
}

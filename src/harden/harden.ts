import { join } from 'node:path';
import { environmentOf } from '../assess/environment.ts';
import { type AssessOptions, assess, type Comparison, compareAssessments, toJson } from '../assess/index.ts';
import type { Level } from '../assess/levels.ts';
import { GlacisError } from '../core/error.ts';
import type { Spec } from '../core/options.ts';
import { writeAtomically } from '../data/index.ts';
import type { Engine } from '../runtime/engine.ts';
import { gather } from '../train/gather.ts';
import type { Epoch, StepFigures } from '../train/journal.ts';
import type { MaterialOptions } from '../train/material.ts';
import { usualEps } from '../train/plan/objective.ts';
import { planTraining, type TrainingWishes } from '../train/plan/training.ts';
import { produce } from '../train/produce.ts';
import type { TrainingRecord } from '../train/record.ts';
import { inputOf, openStartingModel, outputsOf } from '../train/starting-model.ts';
import { type HardeningIdentity, NOTEBOOK, readNotebook, writeNotebook } from './notebook.ts';
import { measurePace } from './pace.ts';
import { type HardeningPlan, planHardening, SHARE } from './plan.ts';
import { outcomeWords } from './words.ts';

/** What to harden, against what, and in which time. */
export interface HardenOptions {
  /** Path of the ONNX file. */
  readonly model: string;
  /** Data to learn from. */
  readonly data: string;
  /** Data to measure on, before and after; none of it is learned from. */
  readonly test: string;
  readonly reading: Omit<MaterialOptions, 'input' | 'signal'>;
  readonly norm: 'linf' | 'l2';
  /** Radius; 8/255 of the range of pictures without. */
  readonly eps?: number | undefined;
  /** Seconds for everything. */
  readonly budget: number;
  /** What takes the place of the plan's choices. */
  readonly wishes: TrainingWishes;
  /** Attacks before and after; those of `level` without. */
  readonly attacks?: readonly Spec[] | undefined;
  readonly level: Level;
  /** Test samples to attack. */
  readonly tested: number;
  readonly floatTwin: boolean;
  readonly reinitialise: boolean;
  readonly seed: number;
  /** Folder for everything that is written; it exists. */
  readonly out: string;
  /** Goes on from what an interrupted run left in `out`. */
  readonly resume: boolean;
  readonly threads?: number | undefined;
  readonly command?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly say: (line: string) => void;
  readonly progress: NonNullable<AssessOptions['progress']>;
  readonly onEpoch: (epoch: Epoch, number: number) => void;
  readonly onStep: (figures: StepFigures) => void;
}

/** What hardening came to. */
export interface Hardened {
  readonly record: TrainingRecord;
  readonly plan: HardeningPlan | undefined;
  readonly comparison: Comparison;
  /** What was gained and what it cost, a sentence each. */
  readonly words: readonly string[];
}

/** Files in the folder of a hardening. */
export const FILES = {
  model: 'hardened.onnx',
  checkpoint: 'hardened.checkpoint',
  before: 'before',
  after: 'after',
} as const;

/**
 * Hardens a model: measures it, trains it against attacks within the time, measures it again on the same samples with the same attacks, and
 * compares sample by sample. Everything goes into `out`; an interrupted run goes on with `resume`.
 * Errors: those of `assess`, `openStartingModel`, `gather` and `produce`; `run/cancelled`; `option/invalid` for a budget that is too short.
 */
export async function harden(engine: Engine, options: HardenOptions): Promise<Hardened> {
  const { out, seed, signal, say, norm } = options;
  const start = await openStartingModel(options.model, {
    reinitialise: options.reinitialise ? seed : undefined,
    floatTwin: options.floatTwin,
    signal,
  });
  const { training, validation, data, validationRecord } = await gather({
    data: options.data,
    seed,
    share: HELD_BACK,
    reading: { ...options.reading, input: inputOf(start.model), signal },
  });
  for (const note of [...start.notes, ...training.notes]) say(`Note: ${note}`);
  const eps = options.eps ?? usualEps({ ...training, norm }, '--eps');
  const notes = join(out, NOTEBOOK);
  const identity = identityOf(options, start.digest, training.digest, eps);
  const known = options.resume ? await readNotebook(notes, identity) : undefined;
  if (!known) await writeNotebook(notes, { identity, isMeasured: false });
  if (!known?.isMeasured) {
    say('Measuring the model as it is …');
    await measure(options, options.model, FILES.before, eps);
  }
  const { batch = 64, against, epochs } = options.wishes;
  const planned = async () =>
    planHardening({
      norm,
      eps,
      bounds: training.bounds,
      n: training.n,
      batch,
      pace: await measurePace(engine, start.model, training, {
        wishes: { ...given(options.wishes), norm, seed, batch },
        eps,
        signal,
      }),
      seconds: options.budget * SHARE,
      seed,
      against,
      epochs,
    });
  const plan = known?.plan ?? (against !== undefined && epochs !== undefined ? undefined : await planned());
  await writeNotebook(notes, { identity, isMeasured: true, ...(plan ? { plan } : {}) });
  const wishes: TrainingWishes = { ...plan?.wishes, seed, norm, ...given(options.wishes) };
  for (const reason of plan?.reasons ?? []) say(`Plan: ${reason}.`);
  const { record } = await produce(engine, {
    start,
    training,
    plan: planTraining(wishes, training, validation, outputsOf(start.model)),
    data,
    validation: validationRecord,
    environment: environmentOf(engine),
    out: join(out, FILES.model),
    checkpoint: { path: join(out, FILES.checkpoint), resume: options.resume, removeAtEnd: true },
    fold: false,
    command: options.command,
    onStep: options.onStep,
    onEpoch: options.onEpoch,
    signal,
  });
  say('Measuring the hardened model …');
  await measure(options, join(out, FILES.model), FILES.after, eps);
  const results = [FILES.before, FILES.after].map((name) => join(out, name, 'assessment.json'));
  const comparison = await compareAssessments(results, { signal });
  return { record, plan, comparison, words: outcomeWords(comparison) };
}

/** What decides the course of a hardening. */
function identityOf(
  { test, reading, budget, wishes, attacks, level, tested, norm, seed }: HardenOptions,
  model: string,
  data: string,
  eps: number,
): HardeningIdentity {
  return {
    model,
    data,
    test,
    reading,
    budget,
    wishes: given(wishes),
    attacks,
    level,
    tested,
    norm,
    eps,
    seed,
  };
}

/** The wishes that were said. */
function given(wishes: TrainingWishes): TrainingWishes {
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
}

/** Share of the training data by which the best epoch is told. */
const HELD_BACK = 0.05;

/** Attacks a model on the test samples; the result goes into a folder of its own. */
async function measure(options: HardenOptions, model: string, name: string, eps: number): Promise<void> {
  const folder = join(options.out, name);
  const { reading, signal, say, progress } = options;
  const { assessment } = await assess({
    model,
    data: options.test,
    n: options.tested,
    ...(reading.range && { range: reading.range }),
    ...(reading.layout && { layout: reading.layout }),
    ...(reading.imageSize && { imageSize: reading.imageSize }),
    ...(reading.target !== undefined && { target: reading.target }),
    ...(reading.shape && { shape: reading.shape }),
    norm: options.norm,
    eps: [eps],
    ...(options.attacks ? { attacks: options.attacks } : { level: options.level }),
    seed: options.seed,
    ...(options.threads !== undefined && { threads: options.threads }),
    out: folder,
    resume: options.resume,
    progress,
    say,
    signal,
  });
  if (assessment.status === 'partial')
    throw new GlacisError(
      'run/cancelled',
      'hardening: stopped while measuring; the same command with --resume goes on',
    );
  const path = join(folder, 'assessment.json');
  await writeAtomically(path, (write) => write(Buffer.from(toJson(assessment))));
}

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentOf } from '../assess/environment.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { writeAtomically } from '../data/index.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Gathered } from '../train/gather.ts';
import type { TrainingConstraint } from '../train/objective/inner-attack.ts';
import { type PrivateWishes, planPrivateTraining } from '../train/plan/private-training.ts';
import { planTraining, type TrainingWishes } from '../train/plan/training.ts';
import { checkPrivateStart } from '../train/private/private-start.ts';
import { producePrivately } from '../train/private/produce-privately.ts';
import { destroyCheckpoint } from '../train/private/secret-checkpoint.ts';
import { produce } from '../train/produce.ts';
import { TRAINING_SCHEMA, type TrainingRecord } from '../train/record.ts';
import { outputsOf, type StartingModel } from '../train/starting-model.ts';
import type { NotedPlan } from './notebook.ts';
import { type HardenOptions, type PrivateHardening, USUAL_EPSILON } from './options.ts';

/** Files of the training in the folder of a hardening. */
export const TRAINING_FILES = {
  model: 'hardened.onnx',
  checkpoint: 'hardened.checkpoint',
  /** The whole record: of a private training with the figures that are the owner's only. */
  record: 'training.json',
} as const;

/** What a hardening trains with. */
export interface HardeningTraining {
  readonly engine: Engine;
  readonly options: HardenOptions;
  readonly start: StartingModel;
  readonly gathered: Gathered;
  readonly plan: NotedPlan | undefined;
  /** Of the goals `robust` and `both`. */
  readonly constraint?: TrainingConstraint | undefined;
}

/** Wishes that were said. */
export function given<Wishes extends object>(wishes: Wishes): Wishes {
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined)) as Wishes;
}

/** What a private hardening is asked for, with the epsilon that is usual. */
export function privateWishes({ wishes }: PrivateHardening): PrivateHardening['wishes'] {
  const said = given(wishes);
  return said.epsilon === undefined && said.noise === undefined ? { ...said, epsilon: USUAL_EPSILON } : said;
}

/** Trains for the goal `robust`. Errors: those of `planTraining` and `produce`. */
export async function trainRobustly({
  engine,
  options,
  start,
  gathered,
  plan,
  constraint,
}: HardeningTraining): Promise<TrainingRecord> {
  const { out, seed, norm } = options;
  const { training, validation } = gathered;
  // The goal is part of the identity: the plan was made for it.
  const wishes = { ...(plan?.wishes as TrainingWishes | undefined), seed, norm, ...given(options.wishes) };
  const { record } = await produce(engine, {
    ...commonOf(engine, options, start, gathered),
    plan: planTraining(wishes, training, validation, outputsOf(start.model), constraint),
    checkpoint: {
      path: join(out, TRAINING_FILES.checkpoint),
      resume: options.resume,
      removeAtEnd: true,
    },
    fold: false,
    onStep: options.onStep,
  });
  await writeRecord(out, record);
  return record;
}

/**
 * Trains for the goals `private` and `both`. `noted` is awaited when the model is on the disk, before the key of the noise is erased: a training
 * that is over must not be made again, because that would spend again.
 * Errors: those of `checkPrivateStart`, `planPrivateTraining` and `producePrivately`.
 */
export async function trainForPrivacy(
  { engine, options, start, gathered, plan, constraint }: HardeningTraining,
  privacy: PrivateHardening,
  noted: () => Promise<void>,
): Promise<TrainingRecord> {
  const { out, norm, say, progress, resume } = options;
  const weights = checkPrivateStart(start, privacy.publicWeights);
  // The goal is part of the identity: the plan was made for it.
  const wishes = { ...(plan?.wishes as PrivateWishes | undefined), norm, ...privateWishes(privacy) };
  const { record } = await producePrivately(engine, {
    ...commonOf(engine, options, start, gathered),
    plan: planPrivateTraining(wishes, gathered.training, undefined, outputsOf(start.model), constraint),
    checkpoint: { path: join(out, TRAINING_FILES.checkpoint), resume },
    ledger: privacy.ledger,
    weights,
    progress,
    onWarning: (warning) => say(`Warning: ${warning}`),
    async onWritten(whole) {
      await writeRecord(out, whole, { mode: 0o600 });
      await noted();
    },
  });
  return record;
}

/**
 * The record of a training that an earlier process ended; a checkpoint that it had no time to destroy goes.
 * Errors: `result/invalid`, `data/unreadable`, `output/unwritable`.
 */
export async function trainedBefore(out: string): Promise<TrainingRecord> {
  const path = join(out, TRAINING_FILES.record);
  const checkpoint = join(out, TRAINING_FILES.checkpoint);
  if (existsSync(checkpoint)) await destroyCheckpoint(checkpoint);
  let record: TrainingRecord;
  try {
    record = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw asGlacisError(error, 'data/unreadable', path);
  }
  if (record?.schema !== TRAINING_SCHEMA || !Array.isArray(record.epochs))
    throw new GlacisError('result/invalid', `${path}: expected the record of a training, got something else`);
  return record;
}

function commonOf(engine: Engine, options: HardenOptions, start: StartingModel, gathered: Gathered) {
  const { command, onEpoch, signal, out } = options;
  return {
    start,
    training: gathered.training,
    data: gathered.data,
    validation: gathered.validationRecord,
    environment: environmentOf(engine),
    out: join(out, TRAINING_FILES.model),
    command,
    onEpoch,
    signal,
  };
}

async function writeRecord(out: string, record: TrainingRecord, rights: { readonly mode?: number } = {}) {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await writeAtomically(join(out, TRAINING_FILES.record), (write) => write(Buffer.from(text)), rights);
}

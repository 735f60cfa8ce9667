import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { Engine } from '../runtime/engine.ts';
import { blockSizeOf } from '../runtime/layout.ts';
import { type Checkpoint, type RunIdentity, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { crossEntropy } from './criterion/cross-entropy.ts';
import { type Journal, journalFrom, NEW_JOURNAL } from './journal.ts';
import type { Objective } from './objective/objective.ts';
import { plain } from './objective/plain.ts';
import { checkedThreat } from './objective/threat.ts';
import { adam } from './optimise/adam.ts';
import { AVERAGE, withAverage } from './optimise/average.ts';
import { checkOptions, type TrainOptions } from './options.ts';
import { trainableParameters } from './parameters.ts';
import { openProbe, type Probe } from './probe.ts';
import { checkSamples, type LabelledSamples } from './samples.ts';
import { initialState, keyOf, type TrainingState } from './state.ts';
import { buildStep, type StepOptions, type TrainingStep } from './step/step.ts';

/** A training run under way. */
export interface Run {
  readonly engine: Engine;
  readonly model: Model;
  readonly data: LabelledSamples;
  /** Number of training samples. */
  readonly n: number;
  readonly options: TrainOptions;
  readonly settings: Omit<StepOptions, 'objective'>;
  readonly objective: Objective;
  /** What is carried from step to step is the same in all phases of the run. */
  readonly step: TrainingStep;
  readonly identity: RunIdentity;
  readonly probe: Probe | undefined;
  /** Slot of averaged weights. */
  readonly average: string | undefined;
  readonly now: () => number;
  /** `now`, and `best` where one is kept. */
  readonly states: Map<string, TrainingState>;
  journal: Journal;
  /** Steps that were made. */
  steps: number;
  /** When the epoch under way began, and when the last checkpoint was written. */
  began: number;
  savedAt: number;
}

/** Checks everything and takes up a checkpoint, where one is asked for and there. Errors: those of `train`. */
export async function prepareRun(
  engine: Engine,
  model: Model,
  data: LabelledSamples,
  options: TrainOptions,
): Promise<Run> {
  const { criterion = crossEntropy(), objective = plain(), validation } = options;
  checkOptions(options);
  const parameters = options.parameters ?? trainableParameters(model);
  if (parameters.length === 0)
    throw new GlacisError('model/unsupported-task', 'training: expected weights to train, found none');
  const inner = options.optimiser ?? adam();
  const optimiser = options.average === undefined ? inner : withAverage(inner, options.average);
  const block = await blockSizeOf(engine);
  const clip = options.clip === undefined ? {} : { clip: options.clip };
  const wanted = { batch: options.batch, parameters, criterion, optimiser, ...clip, block };
  const first = buildStep(model, { ...wanted, objective });
  const form = { size: elementCount(first.sampleDims), outputs: first.outputs, criterion: criterion.name };
  const n = checkSamples(data, form, 'training data');
  // A batch that is larger than the data shrinks to it.
  const settings = { ...wanted, batch: Math.min(options.batch, n) };
  const step = settings.batch === options.batch ? first : buildStep(model, { ...settings, objective });
  const average = options.average === undefined ? undefined : AVERAGE;
  const probe =
    validation &&
    (await openProbe(engine, model, {
      step,
      parameters,
      criterion,
      samples: validation.samples,
      n: checkSamples(validation.samples, form, 'validation data'),
      ...(validation.threat ? { threat: checkedThreat(validation.threat) } : {}),
      ...(validation.constraint ? { constraint: validation.constraint } : {}),
      seed: options.seed,
      block,
      ...(average === undefined ? {} : { average }),
    }));
  const now = options.now ?? (() => performance.now());
  const run: Run = {
    engine,
    model,
    data,
    n,
    options,
    settings,
    objective,
    step,
    identity: identityOf(options, settings, objective, n, engine.threads),
    probe,
    average,
    now,
    states: new Map([['now', initialState(model, step, optimiser)]]),
    journal: NEW_JOURNAL,
    steps: 0,
    began: now(),
    savedAt: now(),
  };
  try {
    await resume(run);
  } catch (error) {
    await probe?.close();
    throw error;
  }
  return run;
}

/** Writes the run's checkpoint, where one is asked for. Errors: `output/unwritable`. */
export async function saveRun(run: Run): Promise<void> {
  const { checkpoint } = run.options;
  if (!checkpoint) return;
  const { identity, steps, states } = run;
  const spent = run.journal.spent + (run.now() - run.began) / 1000;
  await writeCheckpoint(checkpoint.path, { identity, steps, states, journal: { ...run.journal, spent } });
  run.savedAt = run.now();
}

/** Whether the last checkpoint is old enough for another. */
export function isSaveDue({ options: { checkpoint }, now, savedAt }: Run): boolean {
  return checkpoint !== undefined && now() - savedAt >= 1000 * (checkpoint.every ?? 60);
}

async function resume(run: Run): Promise<void> {
  const { path, resume: isWanted } = run.options.checkpoint ?? {};
  if (path === undefined || !isWanted) return;
  const found = await readCheckpoint(path, run.identity);
  if (!found) return;
  const journal = journalFrom(found.journal, path);
  checkFound(run, found, journal, path);
  run.journal = journal;
  run.steps = found.steps;
  for (const [name, state] of found.states) run.states.set(name, state);
}

/** Throws where a checkpoint that says it is of this run cannot be: other arrays, or steps outside of its epoch. Errors: `result/invalid`. */
function checkFound(run: Run, { states, steps }: Checkpoint, journal: Journal, path: string): void {
  const perEpoch = stepsPerEpoch(run);
  const epochs = journal.epochs.length;
  // What an objective keeps is gone once another has taken over.
  const needed = run.step.carried.filter(({ role }) => role !== 'kept' || journal.fellBack === null);
  const isWhole = [...states.values()].every((state) =>
    needed.every((each) => state.get(keyOf(each))?.length === elementCount(each.dims)),
  );
  const names = ['now', ...(journal.best !== null && keepsBest(run.options) ? ['best'] : [])];
  const isThere = names.every((name) => states.has(name));
  if (!isWhole || !isThere || steps < epochs * perEpoch || steps > (epochs + 1) * perEpoch)
    throw new GlacisError(
      'result/invalid',
      `${path}: expected the arrays of this run and steps of its epoch ${epochs + 1}, got others; start again without --resume`,
    );
}

/** Whether a run holds the weights of its best epoch: to give them back, or to go back to them. */
export function keepsBest({ validation }: TrainOptions): boolean {
  return Boolean(validation?.keepBest) || typeof validation?.whenCatastrophic === 'object';
}

/** Steps of an epoch: a rest of the samples that fills no batch is left out. */
export function stepsPerEpoch({ n, step, options: { replays = 1 } }: Run): number {
  return Math.floor(n / step.batch) * replays;
}

/** Everything that decides what a run computes. */
function identityOf(
  options: TrainOptions,
  { batch, parameters, criterion, optimiser, clip, block }: Omit<StepOptions, 'objective'>,
  objective: Objective,
  samples: number,
  threads: number,
): RunIdentity {
  const {
    epochs,
    seed,
    schedule,
    replays,
    mixup,
    augment = [],
    validation,
    modelDigest,
    dataDigest,
  } = options;
  const named = (each: { readonly name: string; readonly options: unknown }) => [each.name, each.options];
  const { whenCatastrophic = 'stop' } = validation ?? {};
  return {
    model: modelDigest,
    data: dataDigest,
    samples,
    epochs,
    batch,
    seed,
    parameters,
    criterion: named(criterion),
    objective: named(objective),
    optimiser: named(optimiser),
    schedule: named(schedule),
    clip,
    replays,
    mixup,
    augment: augment.map(named),
    validation: validation && [
      validation.threat,
      validation.keepBest,
      validation.patience,
      typeof whenCatastrophic === 'string' ? whenCatastrophic : named(whenCatastrophic),
    ],
    threads,
    block,
  };
}

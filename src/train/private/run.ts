import { GlacisError } from '../../core/error.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Engine } from '../../runtime/engine.ts';
import { blockSizeOf } from '../../runtime/layout.ts';
import { batchToGroupNormalization } from '../../transform/group-normalization-rewrite.ts';
import type { RunIdentity } from '../checkpoint.ts';
import { crossEntropy } from '../criterion/cross-entropy.ts';
import { type Feed, feedFor } from '../feed.ts';
import { plain } from '../objective/plain.ts';
import { checkedThreat } from '../objective/threat.ts';
import { AVERAGE, withAverage } from '../optimise/average.ts';
import { sgd } from '../optimise/sgd.ts';
import { trainableParameters } from '../parameters.ts';
import { openProbe, type Probe } from '../probe.ts';
import { checkSamples, type LabelledSamples } from '../samples.ts';
import { initialState, keyOf, type TrainingState } from '../state.ts';
import type { ConstrainedAttack } from '../step/constrained-attack.ts';
import { lanesFor } from '../step/lanes.ts';
import { openOutsideAttack } from '../step/outside-attack.ts';
import { checkApart } from './gradient/check-apart.ts';
import { buildPrivateGradient, type PrivateGradient } from './gradient/private-gradient.ts';
import { journalFrom, newJournal, type PrivateJournal } from './journal.ts';
import { checkPrivateOptions, type PrivateTrainOptions } from './options.ts';
import { type PrivatePlan, planPrivately } from './plan.ts';
import { freshKey, type KeyStream, keyOfTestSeed, keyStream } from './random/key-stream.ts';
import { uniformReader } from './random/uniforms.ts';
import { readSecretCheckpoint, writeSecretCheckpoint } from './secret-checkpoint.ts';
import { physicalRows } from './step/physical-rows.ts';
import { openPrivateSession, type PrivateSession } from './step/private-session.ts';
import { buildPrivateUpdate, type PrivateUpdate } from './step/private-update.ts';

/** A private run under way. */
export interface PrivateRunUnderWay {
  readonly model: Model;
  readonly options: PrivateTrainOptions;
  readonly plan: PrivatePlan;
  /** Number of samples. */
  readonly n: number;
  /** Layers whose BatchNormalization was rewritten. */
  readonly rewritten: readonly string[];
  readonly gradient: PrivateGradient;
  readonly update: PrivateUpdate;
  readonly session: PrivateSession;
  /** Attacks samples before their gradients are made, where the objective leaves that to the trainer. */
  readonly attack: ConstrainedAttack | undefined;
  readonly probe: Probe | undefined;
  readonly feed: Feed;
  readonly settings: (done: number) => Readonly<Record<string, number>>;
  readonly stream: KeyStream;
  readonly identity: RunIdentity;
  readonly now: () => number;
  state: TrainingState;
  journal: PrivateJournal;
  /** Steps that were made. */
  steps: number;
  began: number;
  savedAt: number;
}

/** Checks everything, opens the graphs, and takes up a checkpoint where one is asked for and there. Errors: those of `trainPrivately`. */
export async function preparePrivateRun(
  engine: Engine,
  given: Model,
  data: LabelledSamples,
  options: PrivateTrainOptions,
): Promise<PrivateRunUnderWay> {
  checkPrivateOptions(options);
  const { criterion = crossEntropy(), objective = plain(), optimiser: inner = sgd(), norms } = options;
  const { model, layers, learned } =
    options.normalisation === 'rewrite'
      ? batchToGroupNormalization(given)
      : { model: given, layers: [], learned: [] };
  const trainable = new Set(trainableParameters(model));
  const parameters = options.parameters ?? [...trainable, ...learned.filter((name) => !trainable.has(name))];
  if (parameters.length === 0)
    throw new GlacisError(
      'model/unsupported-task',
      'private training: expected weights to train, found none',
    );
  const block = await blockSizeOf(engine);
  const lesson = { parameters, criterion, objective, block, ...(norms ? { norms } : {}) };
  // What does not depend on the batch is found with one row, before the number of samples is known.
  const one = buildPrivateGradient(model, { ...lesson, rows: 1 });
  const form = { size: elementCount(one.sampleDims), outputs: one.outputs, criterion: criterion.name };
  const n = checkSamples(data, form, 'training data');
  const plan = planPrivately(n, options);
  const weights = one.sums.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const lanes = lanesFor(engine, weights);
  const rows = physicalRows(plan.expected, lanes, options.rows);
  const gradient = rows === 1 ? one : buildPrivateGradient(model, { ...lesson, rows });
  const optimiser = options.average === undefined ? inner : withAverage(inner, options.average);
  const { expected } = plan;
  const update = buildPrivateUpdate(gradient.sums, { optimiser, expected, lanes });
  const identity = identityOf(options, plan, { parameters, n, rows, lanes, block, layers });
  const { path, resume } = options.checkpoint ?? {};
  const found = path !== undefined && resume ? await readSecretCheckpoint(path, identity) : undefined;
  const key = found?.key ?? (options.testSeed === undefined ? freshKey() : keyOfTestSeed(options.testSeed));
  const stream = keyStream(key);
  key.fill(0);
  const first = initialState(model, update, optimiser);
  const state = found?.state ?? first;
  const now = options.now ?? (() => performance.now());
  const session = await openPrivateSession(engine, gradient, update, lanes);
  let [attack, probe]: [ConstrainedAttack?, Probe?] = [];
  const draw = new Float64Array(1);
  uniformReader(stream, 'feed', 0)(draw);
  const seed = draw[0]! * 2 ** 53;
  try {
    const held = update.carried.filter(({ role }) => role === 'weight');
    const begin = held.map((each) => first.get(keyOf(each))!);
    await checkApart(engine, model, gradient, session.first, begin, lesson);
    const { outside } = objective;
    if (outside)
      attack = await openOutsideAttack(engine, model, outside, { parameters, criterion, rows, block, seed });
    const { samples, threat } = options.validation ?? {};
    probe =
      samples &&
      (await openProbe(engine, model, {
        step: { ...gradient, carried: update.carried },
        parameters,
        criterion,
        samples,
        n: checkSamples(samples, form, 'validation data'),
        ...(threat ? { threat: checkedThreat(threat) } : {}),
        ...(outside ? { constraint: outside.constraint } : {}),
        seed: 0,
        block,
        ...(options.average === undefined ? {} : { average: AVERAGE }),
      }));
  } catch (error) {
    await Promise.all([session.close(), attack?.close()]);
    stream.erase();
    throw error;
  }
  return {
    model,
    options,
    plan,
    n,
    rewritten: layers,
    gradient,
    update,
    session,
    attack,
    probe,
    feed: feedFor(gradient, data, { seed, augment: options.augment ?? [], criterion: criterion.name }),
    settings: (done) => objective.settings?.(done) ?? {},
    stream,
    identity,
    now,
    state,
    journal: found ? journalFrom(found.journal, path!) : newJournal(plan.clipping.start),
    steps: found?.steps ?? 0,
    began: now(),
    savedAt: now(),
  };
}

/** Writes the run's checkpoint, where one is asked for. Errors: `output/unwritable`. */
export async function savePrivateRun(run: PrivateRunUnderWay): Promise<void> {
  const { checkpoint } = run.options;
  if (!checkpoint) return;
  const { identity, steps, state, stream } = run;
  const spent = run.journal.spent + (run.now() - run.began) / 1000;
  const key = stream.key();
  await writeSecretCheckpoint(checkpoint.path, {
    identity,
    steps,
    state,
    journal: { ...run.journal, spent },
    key,
  }).finally(() => key.fill(0));
  run.savedAt = run.now();
}

/** Whether the last checkpoint is old enough for another. */
export function isPrivateSaveDue({ options: { checkpoint }, now, savedAt }: PrivateRunUnderWay): boolean {
  return checkpoint !== undefined && now() - savedAt >= 1000 * (checkpoint.every ?? 60);
}

/** Everything that decides what a run computes, but for its key. */
function identityOf(
  options: PrivateTrainOptions,
  { rate, steps, noise, clipping, statement }: PrivatePlan,
  built: Readonly<Record<string, unknown>>,
): RunIdentity {
  const { criterion, objective, optimiser, schedule, augment = [], average, norms } = options;
  const { modelDigest, dataDigest, ledger, testSeed, validation } = options;
  const named = (each: { readonly name: string; readonly options: unknown } | undefined) =>
    each && [each.name, each.options];
  return {
    private: true,
    model: modelDigest,
    data: dataDigest,
    rate,
    steps,
    noise,
    delta: statement.delta,
    clipping,
    criterion: named(criterion),
    objective: named(objective),
    optimiser: named(optimiser),
    schedule: named(schedule),
    augment: augment.map(named),
    average,
    norms,
    ledger: ledger && [ledger.path, ledger.dataSet],
    validation: validation && [validation.samples.y.length, validation.threat],
    testSeed,
    ...built,
  };
}

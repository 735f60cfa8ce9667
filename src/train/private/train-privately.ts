import { randomBytes } from 'node:crypto';
import { throwIfCancelled } from '../../core/cancel.ts';
import { GlacisError } from '../../core/error.ts';
import { silent } from '../../core/progress.ts';
import type { Model } from '../../onnx/model.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { recordSpent, reserve } from '../../privacy/ledger.ts';
import { f32, type HostTensor, i64 } from '../../runtime/array.ts';
import type { Engine } from '../../runtime/engine.ts';
import { AVERAGE } from '../optimise/average.ts';
import type { LabelledSamples } from '../samples.ts';
import { keyOf, stateFrom, withState } from '../state.ts';
import { nextNorm } from './clipping.ts';
import { noteOf, withEpoch } from './journal.ts';
import type { PrivateTrainOptions } from './options.ts';
import { gaussianNoise } from './random/gaussian-noise.ts';
import { poissonBatch } from './random/poisson-batch.ts';
import { isPrivateSaveDue, type PrivateRunUnderWay, preparePrivateRun, savePrivateRun } from './run.ts';
import { destroyCheckpoint } from './secret-checkpoint.ts';
import { type BatchMeasures, together } from './step/private-session.ts';
import { gridFor } from './step/private-update.ts';
import type { PrivatelyTrained } from './trained.ts';

/**
 * Trains with differential privacy (DP-SGD, Abadi et al. 2016): each step draws samples by Poisson sampling, clips the gradient of each,
 * adds normal noise to their sum, divides by the expected batch, and updates. See docs/private-training.md for what is promised.
 *
 * A run that was killed and resumed from its checkpoint gives the same bytes as one that was not (same machine, versions, threads) and
 * draws the same noise; the key of that noise is in the checkpoint and nowhere else, and both are destroyed at the end.
 *
 * Errors: `option/invalid`, `option/unknown`; `privacy/budget`, `privacy/ledger`, `privacy/precision`; `data/mismatch`, `data/label-range`;
 * `model/unsupported-task` for networks in which samples influence each other; `run/failed` when a gradient is not a number any more;
 * `run/cancelled` between two steps, after a last checkpoint; `output/unwritable`; those of `buildPrivateGradient`.
 *
 * @example
 * const { model, privacy } = await trainPrivately(engine, network, { x, y }, {
 *   epsilon: 2.9, delta: 1e-5, batch: 240, epochs: 60, clip: 1, schedule: constant({ peak: 0.15, warmUp: 0 }),
 * });
 */
export async function trainPrivately(
  engine: Engine,
  model: Model,
  data: LabelledSamples,
  options: PrivateTrainOptions,
): Promise<PrivatelyTrained> {
  const run = await preparePrivateRun(engine, model, data, options);
  try {
    for (const warning of run.plan.warnings) options.onWarning?.(warning);
    await reserveBudget(run);
    options.onStart?.(run.steps, run.plan.steps, run.journal.epochs);
    try {
      await makeSteps(run);
      await options.onTrained?.(outcomeOf(run));
    } catch (error) {
      // With a checkpoint the run may go on: all that was reserved counts until it ends.
      if (!options.checkpoint) await recordEnd(run);
      throw error;
    }
    await recordEnd(run);
    if (options.checkpoint) await destroyCheckpoint(options.checkpoint.path);
    return outcomeOf(run);
  } finally {
    run.stream.erase();
    await Promise.all([run.session.close(), run.attack?.close(), run.probe?.close()]);
  }
}

async function makeSteps(run: PrivateRunUnderWay): Promise<void> {
  const { plan, options, session, update, n, stream } = run;
  const { signal, progress = silent, checkpoint } = options;
  const { carried } = update;
  const draw = (step: number) => poissonBatch(stream, step, n, plan.rate);
  let fed: Record<string, HostTensor> = feeds(run);
  let weights = carried.filter(({ role }) => role === 'weight').map(({ input }) => fed[input]!);
  const outputs = carried.filter(({ role }) => role === 'weight').map(({ output }) => output);
  let batch = run.steps < plan.steps ? draw(run.steps) : new Int32Array();
  while (run.steps < plan.steps) {
    const { steps } = run;
    const running = session.sum(batch, weights, sharedInputs(run), inputsWith(run, weights));
    // While the samples' gradients are summed, this thread makes the noise and draws the next batch.
    const sigma = plan.gradientNoise * run.journal.clip;
    const noise = noiseInputs(run, sigma);
    batch = steps + 1 < plan.steps ? draw(steps + 1) : new Int32Array();
    const { sums, measures } = await running;
    checkMeasures(run, measures);
    const isEnd = epochsOver(run, steps + 1) > run.journal.epochs.length && (checkpoint || run.probe);
    const isDue =
      steps + 1 === plan.steps || isEnd || (checkpoint && signal?.aborted) || isPrivateSaveDue(run);
    const results = await session.update.run(
      {
        ...fed,
        ...noise,
        ...Object.fromEntries(
          sums.flatMap((lane, l) => lane.map((sum, i) => [update.inputs.sums[l]![i]!, sum] as const)),
        ),
        [update.inputs.grid]: { dtype: 'float64', dims: [], data: Float64Array.of(gridFor(sigma)) },
        [update.inputs.step]: i64([steps + 1], []),
        [update.inputs.rate]: f32(Float32Array.of(options.schedule.rate(steps, plan.steps)), []),
      },
      { fetches: isDue ? carried.map(({ output }) => output) : outputs },
    );
    fed = {};
    weights = outputs.map((name) => results[name]!);
    run.journal = {
      ...run.journal,
      open: together([run.journal.open, measures]),
      clip: nextClip(run, measures),
    };
    run.steps++;
    if (isDue) run.state = stateFrom(update, results);
    await concludeStep(run);
    if (isDue && run.steps < plan.steps) await savePrivateRun(run);
    progress({ label: 'private training', done: run.steps, total: plan.steps, note: noteOf(run.journal) });
    // With a checkpoint, one more step brings the state out first.
    if (run.steps < plan.steps && (isDue || !checkpoint)) throwIfCancelled(signal, 'private training');
  }
}

/** Epochs that are over after so many steps: each sample was seen so often on average. */
function epochsOver({ plan, options }: PrivateRunUnderWay, steps: number): number {
  return steps === plan.steps ? Math.ceil(options.epochs) : Math.floor(steps * plan.rate + 1e-9);
}

/** Closes the epoch when it is over, measured on what may be known. */
async function concludeStep(run: PrivateRunUnderWay): Promise<void> {
  const { steps, options, probe } = run;
  if (epochsOver(run, steps) <= run.journal.epochs.length) return;
  const measured = await probe?.measure(run.state);
  run.journal = withEpoch(run.journal, run.journal.spent + (run.now() - run.began) / 1000, measured);
  run.began = run.now();
  options.onEpoch?.(run.journal.epochs.at(-1)!, run.journal.epochs.length - 1);
}

/** What is carried, as inputs of the first step. */
function feeds({ update, state }: PrivateRunUnderWay): Record<string, HostTensor> {
  return Object.fromEntries(
    update.carried.map((each) => [each.input, f32(state.get(keyOf(each))!.slice(), each.dims)]),
  );
}

/** Inputs that all physical batches of a step share. */
function sharedInputs({ gradient, journal, settings, steps, plan }: PrivateRunUnderWay) {
  const scalar = (value: number) => f32(Float32Array.of(value), []);
  const values = settings(steps / plan.steps);
  return {
    [gradient.inputs.clip]: scalar(journal.clip),
    ...Object.fromEntries(
      Object.entries(gradient.inputs.settings).map(([name, input]) => [input, scalar(values[name]!)]),
    ),
  };
}

/** Makes the inputs of the step's physical batches; attacks the samples first where the objective leaves that to the trainer. */
function inputsWith(run: PrivateRunUnderWay, weights: readonly HostTensor[]) {
  const { attack, gradient, options, steps, plan } = run;
  const { outside } = options.objective ?? {};
  if (!attack || !outside) return (samples: Int32Array) => inputsOf(run, samples);
  const byName = new Map(gradient.sums.map(({ name }, i) => [name, weights[i]!]));
  return async (samples: Int32Array) => {
    const { x, targets } = gradient.inputs;
    const into = gradient.inputs.attacked ?? x;
    // Rows without a sample repeat the first, which satisfies the constraint; they count 0 times.
    const padded = Int32Array.from({ length: gradient.rows }, (_, i) => samples[i] ?? samples[0]!);
    const whole = inputsOf(run, padded);
    const attacked = await attack.attack({
      ...{ x: whole[x]!, targets: whole[targets]!, samples: padded, at: steps },
      ...outside.settings(steps / plan.steps),
      weight: (name) => byName.get(name)!,
    });
    return { ...whole, [into]: attacked };
  };
}

/** Samples, targets and random numbers of a physical batch; rows without a sample hold zeros. */
function inputsOf({ feed, gradient: { rows }, steps }: PrivateRunUnderWay, samples: Int32Array) {
  const inputs = feed.inputs(samples, steps, steps);
  if (samples.length === rows) return inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, dims, data }]) => {
      const width = data.length / samples.length;
      const all = new (data.constructor as Float32ArrayConstructor)(rows * width);
      all.set(data as Float32Array);
      return [name, { dtype, dims: [rows, ...dims.slice(1)], data: all }];
    }),
  );
}

/** The noise of this step for all weights, as one stream of numbers in their order. */
function noiseInputs({ update, gradient, stream, steps }: PrivateRunUnderWay, sigma: number) {
  const sizes = gradient.sums.map(({ dims }) => elementCount(dims));
  const count = sizes.reduce((sum, size) => sum + size, 0);
  const all = gaussianNoise(stream, 'noise', steps, { count, sigma });
  let from = 0;
  return Object.fromEntries(
    gradient.sums.map(({ dims }, i): [string, HostTensor] => {
      const data = all.subarray(from, from + sizes[i]!);
      from += sizes[i]!;
      return [update.inputs.noise[i]!, { dtype: 'float64', dims, data }];
    }),
  );
}

function nextClip({ journal, plan, stream, steps }: PrivateRunUnderWay, measures: BatchMeasures): number {
  if (!plan.clipping.adaptive) return journal.clip;
  const [draw] = gaussianNoise(stream, 'count', steps, { count: 1, sigma: 1 });
  const { samples, below } = measures;
  return nextNorm(journal.clip, plan.clipping, { samples, below, expected: plan.expected }, draw!);
}

function checkMeasures({ options, steps }: PrivateRunUnderWay, { loss, norms }: BatchMeasures): void {
  if (Number.isFinite(loss) && Number.isFinite(norms)) return;
  const kept = options.checkpoint ? `; ${options.checkpoint.path} holds the last good state` : '';
  throw new GlacisError(
    'run/failed',
    `private training: expected finite losses and gradients, got others in step ${steps + 1}; lower the learning rate${kept}`,
  );
}

/** Sets the run's budget aside before its first step, unless it was resumed. */
async function reserveBudget(run: PrivateRunUnderWay): Promise<void> {
  const { ledger, dataDigest, today = () => new Date(), signal, accounting } = run.options;
  if (!ledger || run.journal.reservation !== null) return;
  const { rate, noise, steps } = run.plan;
  const reservation = await reserve(
    ledger.path,
    ledger.dataSet ?? dataDigest!,
    { rate, noise, steps },
    {
      now: today,
      id: randomBytes(16),
      signal,
      ...(ledger.limit ? { limit: { ...accounting, ...ledger.limit } } : {}),
    },
  );
  run.journal = { ...run.journal, reservation };
  await savePrivateRun(run);
}

async function recordEnd({ options, journal, steps }: PrivateRunUnderWay): Promise<void> {
  const { ledger, today = () => new Date() } = options;
  if (ledger && journal.reservation !== null)
    await recordSpent(ledger.path, journal.reservation, steps, { now: today });
}

function outcomeOf(run: PrivateRunUnderWay): PrivatelyTrained {
  const { model, options, plan, update, state, journal, steps, rewritten } = run;
  const isTest = options.testSeed !== undefined;
  const warning = 'made with a test seed: the noise can be drawn again, and nothing is promised';
  return {
    model: withState(model, update, state, options.average === undefined ? undefined : AVERAGE),
    privacy: isTest ? undefined : plan.statement,
    steps,
    rate: plan.rate,
    expected: plan.expected,
    noise: plan.noise,
    gradientNoise: plan.gradientNoise,
    clip: journal.clip,
    rewritten,
    warnings: isTest ? [...plan.warnings, warning] : plan.warnings,
    epochs: journal.epochs,
  };
}

import { throwIfCancelled } from '../core/cancel.ts';
import { silent } from '../core/progress.ts';
import { randomFrom } from '../core/random.ts';
import { f32, type HostTensor, i64 } from '../runtime/array.ts';
import type { Session } from '../runtime/engine.ts';
import { attackedInputs } from './attacked-inputs.ts';
import { type Batches, divergence } from './divergence.ts';
import { feedFor } from './feed.ts';
import { noteOf, soFar, withStep } from './journal.ts';
import type { Objective } from './objective/objective.ts';
import { isSaveDue, type Run, saveRun, stepsPerEpoch } from './run.ts';
import { shuffled } from './samples.ts';
import { feedsOf, isAllFinite, keyOf, stateFrom } from './state.ts';
import type { ConstrainedAttack } from './step/constrained-attack.ts';
import { heldArrays } from './step/held-arrays.ts';
import { openOutsideAttack } from './step/outside-attack.ts';
import { openStep } from './step/session.ts';
import { buildStep, type TrainingStep } from './step/step.ts';

/** A stretch of a run with one objective. */
export interface Phase {
  readonly objective: Objective;
  readonly step: TrainingStep;
  readonly session: Session;
  /** Attacks samples before a step takes them, where the objective leaves that to the trainer. */
  readonly attack?: ConstrainedAttack;
  close(): Promise<void>;
}

/** Opens the graph of a run's steps with this objective. */
export async function openPhase(run: Run, objective: Objective): Promise<Phase> {
  const { engine, model, settings, options } = run;
  const how = { ...settings, objective };
  const step = objective === run.objective ? run.step : buildStep(model, how);
  const session = await openStep(engine, model, step, how);
  const { outside } = objective;
  if (!outside) return { objective, step, session, close: () => session.close() };
  const { batch: rows, block = 0 } = settings;
  const attack = await openOutsideAttack(engine, model, outside, {
    ...{ ...settings, block, rows, seed: options.seed },
  }).catch(async (error) => {
    await session.close();
    throw error;
  });
  const close = async () => {
    await Promise.all([session.close(), attack.close()]);
  };
  return { objective, step, session, attack, close };
}

/**
 * Makes the steps of the epoch that the run is in, from where it stands to the epoch's end; then the run holds the state.
 * Errors: `run/failed` for a loss that is no number; `run/cancelled` after a checkpoint; `output/unwritable`.
 */
export async function runEpoch(run: Run, phase: Phase): Promise<void> {
  const { step, session } = phase;
  const { signal, progress = silent, checkpoint } = run.options;
  const epoch = run.journal.epochs.length;
  const perEpoch = stepsPerEpoch(run);
  const { inputsOf, samplesOf } = batchesOf(run, phase, epoch);
  const carried = step.carried.map(({ output }) => output);
  const between = heldBetween(run, phase);
  const measures = Object.values(step.measures);
  const end = (epoch + 1) * perEpoch;
  let start = feedsOf(step, run.states.get('now')!);
  let keptAt = run.steps;
  let next: Readonly<Record<string, HostTensor>> = run.steps < end ? inputsOf(run.steps) : {};
  while (run.steps < end) {
    const isLast = run.steps + 1 === end;
    // Weights stay where they are trained until they are wanted.
    const isDue = isLast || (checkpoint && signal?.aborted) || isSaveDue(run);
    const { steps } = run;
    if (between)
      next = await attackedInputs(run, phase, {
        inputs: next,
        samples: samplesOf(steps),
        at: steps,
        ...between.held,
      });
    const seen = between ? [...measures, ...between.outputs] : measures;
    const running = session.run(
      { ...start, ...next },
      { transfer: true, fetches: isDue ? [...measures, ...carried] : seen },
    );
    start = {};
    // While the step runs on its own thread, this one prepares the next batch.
    if (!isLast) next = inputsOf(run.steps + 1);
    const results = await running;
    between?.take(results);
    const loss = Number(results[step.measures.loss]!.data[0]);
    const state = isDue ? stateFrom(step, results) : undefined;
    if (!Number.isFinite(loss) || (state && !isAllFinite(state)))
      throw await divergence(run, phase, { from: keptAt, at: run.steps, inputsOf, samplesOf }, loss);
    run.journal = withStep(run.journal, step, results);
    run.steps++;
    const figures = soFar(run.journal, step.batch);
    run.options.onStep?.({
      step: run.steps,
      total: perEpoch * run.options.epochs,
      epoch,
      loss,
      soFar: figures,
    });
    if (state) {
      run.states.set('now', state);
      keptAt = run.steps;
    }
    if (isDue && !isLast) await saveRun(run);
    progress({
      label: `epoch ${epoch + 1} of ${run.options.epochs}`,
      done: run.steps - epoch * perEpoch,
      total: perEpoch,
      note: noteOf(figures),
    });
    // With a checkpoint, one more step brings the state out first.
    if (!isLast && (isDue || !checkpoint)) throwIfCancelled(signal, 'training');
  }
  // The end of an epoch is kept once it was measured, unless that is not to happen.
  if (signal?.aborted) await saveRun(run);
}

/** What is held before each step, for attacks on it; nothing where the graph attacks by itself. */
function heldBetween(run: Run, { attack, step }: Phase) {
  if (!attack) return undefined;
  const wanted = step.carried.filter(({ role }) => role !== 'slot');
  const now = run.states.get('now')!;
  let arrays = new Map(wanted.map((each) => [each, f32(now.get(keyOf(each))!.slice(), each.dims)]));
  return {
    outputs: wanted.map(({ output }) => output),
    take(results: Readonly<Record<string, HostTensor>>) {
      arrays = new Map(wanted.map((each) => [each, results[each.output]!]));
    },
    held: heldArrays(step, (each) => arrays.get(each)!),
  };
}

/** What a step of this epoch takes in, by the step's number over all epochs. */
function batchesOf(run: Run, { objective, step }: Phase, epoch: number): Batches {
  const { options, data, n, settings } = run;
  const { seed, replays = 1, augment = [], mixup, schedule } = options;
  const order = shuffled(n, randomFrom(seed, 'train', 'order', epoch));
  const perEpoch = stepsPerEpoch(run);
  const total = perEpoch * options.epochs;
  const feed = feedFor(step, data, {
    seed,
    augment,
    ...(mixup === undefined ? {} : { mixup }),
    criterion: settings.criterion.name,
  });
  const scalar = (value: number) => f32(Float32Array.of(value), []);
  const samplesOf = (at: number) => {
    const from = Math.floor((at - epoch * perEpoch) / replays) * step.batch;
    return order.subarray(from, from + step.batch);
  };
  const inputsOf = (at: number): Record<string, HostTensor> => {
    const values = objective.settings?.(at / total) ?? {};
    return {
      ...feed.inputs(samplesOf(at), epoch, at),
      [step.inputs.step]: i64([at + 1], []),
      [step.inputs.rate]: scalar(schedule.rate(at, total)),
      ...Object.fromEntries(
        Object.entries(step.inputs.settings).map(([name, input]) => [input, scalar(values[name]!)]),
      ),
    };
  };
  return { inputsOf, samplesOf };
}

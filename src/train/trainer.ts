import type { Model } from '../onnx/model.ts';
import type { Engine } from '../runtime/engine.ts';
import { openPhase, type Phase, runEpoch } from './epoch.ts';
import { closed, type Epoch, type Stop, scoreOf, withEpoch } from './journal.ts';
import type { Objective } from './objective/objective.ts';
import type { TrainOptions } from './options.ts';
import { isCatastrophic } from './overfitting.ts';
import { keepsBest, prepareRun, type Run, saveRun, stepsPerEpoch } from './run.ts';
import type { LabelledSamples } from './samples.ts';
import { withState } from './state.ts';

/** A trained model with its history. */
export interface Trained {
  /** The model that was given, with other initializers. */
  readonly model: Model;
  readonly epochs: readonly Epoch[];
  /** Epoch (from 0) whose weights the model has. */
  readonly epoch: number;
  /** Why it ended before its last epoch. */
  readonly stopped?: Stop;
  /** Epochs that were over when another objective took over because of catastrophic overfitting. */
  readonly fellBack?: number;
}

/**
 * Trains a network; every step is one run of one graph (see `step/step.ts`) or, for small networks, of one a thread (see
 * `step/session.ts`). The same seed, data, machine, versions and threads give the same bytes, also where the run was killed and
 * resumed from a checkpoint.
 *
 * Errors: `option/invalid`, also for a checkpoint of another run; `data/mismatch`, `data/label-range`; `run/failed` when the loss is not
 * a number any more; `run/cancelled` between two steps, after a last checkpoint; `output/unwritable`; those of `buildStep`.
 *
 * @example
 * const schedule = cosine({ peak: 2e-3 });
 * const { model } = await train(engine, convNet({ ... }), { x, y }, { epochs: 5, batch: 64, schedule, seed: 1 });
 */
export async function train(
  engine: Engine,
  model: Model,
  data: LabelledSamples,
  options: TrainOptions,
): Promise<Trained> {
  const run = await prepareRun(engine, model, data, options);
  let phase: Phase | undefined;
  try {
    options.onStart?.(run.steps, stepsPerEpoch(run) * options.epochs, run.journal.epochs);
    while (run.journal.epochs.length < options.epochs && run.journal.stopped === null) {
      phase ??= await openPhase(run, objectiveOf(run));
      await runEpoch(run, phase);
      const before = run.journal.fellBack;
      await concludeEpoch(run);
      if (run.journal.fellBack === before) continue;
      await phase.close();
      phase = undefined;
    }
    return outcomeOf(run);
  } finally {
    await phase?.close();
    await run.probe?.close();
  }
}

function objectiveOf({ journal, options, objective }: Run): Objective {
  const fallBack = options.validation?.whenCatastrophic;
  return journal.fellBack !== null && typeof fallBack === 'object' ? fallBack : objective;
}

/** Measures the network after an epoch, keeps it if it is the best, and decides whether and how the run goes on. */
async function concludeEpoch(run: Run): Promise<void> {
  const { options, probe, states, step } = run;
  const { patience } = options.validation ?? {};
  const measured = await probe?.measure(states.get('now')!, options.signal);
  const past = run.journal.epochs.flatMap((epoch) => epoch.validation ?? []);
  const seconds = run.journal.spent + (run.now() - run.began) / 1000;
  const epoch = closed(run.journal, step.batch, seconds, measured);
  const number = run.journal.epochs.length;
  run.journal = withEpoch(run.journal, epoch);
  run.began = run.now();
  if (measured) {
    const score = scoreOf(measured);
    const { best } = run.journal;
    if (best === null || score > best.score) {
      run.journal = { ...run.journal, best: { epoch: number, score } };
      if (keepsBest(options)) states.set('best', states.get('now')!);
    } else if (patience !== undefined && number - best.epoch >= patience)
      run.journal = { ...run.journal, stopped: 'patience' };
    if (run.journal.fellBack === null && isCatastrophic(past, measured)) react(run);
  }
  await saveRun(run);
  options.onEpoch?.(epoch, number);
}

/** Stops, goes on, or goes back to the best weights with another objective. */
function react(run: Run): void {
  const { whenCatastrophic = 'stop' } = run.options.validation ?? {};
  if (whenCatastrophic === 'go-on') return;
  if (whenCatastrophic === 'stop') {
    run.journal = { ...run.journal, stopped: 'catastrophic overfitting' };
    return;
  }
  run.states.set('now', run.states.get('best')!);
  run.journal = { ...run.journal, fellBack: run.journal.epochs.length };
}

function outcomeOf({ journal, states, options, model, step, average }: Run): Trained {
  const best = options.validation?.keepBest ? journal.best : null;
  return {
    model: withState(model, step, states.get(best ? 'best' : 'now')!, average),
    epochs: journal.epochs,
    epoch: best?.epoch ?? journal.epochs.length - 1,
    ...(journal.stopped === null ? {} : { stopped: journal.stopped }),
    ...(journal.fellBack === null ? {} : { fellBack: journal.fellBack }),
  };
}

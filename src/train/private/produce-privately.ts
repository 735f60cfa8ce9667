import { existsSync } from 'node:fs';
import { serializeModel } from '../../onnx/write.ts';
import { type Accountant, epsilonFor, type PrivacyStatement, runsOn } from '../../privacy/index.ts';
import type { Engine } from '../../runtime/engine.ts';
import type { PlannedPrivateTraining } from '../plan/private-training.ts';
import type { Production } from '../produce.ts';
import { modelRecord, writeProduced } from '../produced-files.ts';
import {
  type PrivacyRecord,
  publishable,
  type RecordedEpoch,
  TRAINING_SCHEMA,
  type TrainingRecord,
} from '../record.ts';
import type { PrivateEpoch } from './journal.ts';
import type { PrivateTrainOptions } from './options.ts';
import { destroyCheckpoint } from './secret-checkpoint.ts';
import { trainPrivately } from './train-privately.ts';
import type { PrivatelyTrained } from './trained.ts';

/** A private training that ends in a file with its record. */
export interface PrivateProduction
  extends Pick<
      Production,
      'start' | 'training' | 'data' | 'validation' | 'environment' | 'out' | 'command' | 'signal' | 'today'
    >,
    Pick<PrivateTrainOptions, 'onStart' | 'onEpoch' | 'onWarning' | 'progress'> {
  readonly plan: PlannedPrivateTraining;
  /** Where the run and the key of its noise are kept, readable by the owner only, until it is over. */
  readonly checkpoint: { readonly path: string; readonly resume: boolean };
  /** File of the ledger, and the most epsilon that all runs on the data set may spend together at this delta. */
  readonly ledger?: { readonly path: string; readonly most?: number | undefined } | undefined;
  /** Where {@link StartingModel} has its weights from. */
  readonly weights: PrivacyRecord['start'];
  /** Awaited when model and record are on the disk, before the checkpoint goes. */
  readonly onWritten?: (record: TrainingRecord) => Promise<void>;
}

/** What was written, and what the owner may know. */
export interface ProducedPrivately {
  readonly trained: PrivatelyTrained;
  /** With the figures that are for the owner only; the one beside the model is {@link publishable}. */
  readonly record: TrainingRecord;
  readonly recordPath: string;
}

/**
 * Trains privately, and writes the model with the record of it that may be published; only then the checkpoint and its key go.
 * Errors: those of `trainPrivately`; `output/unwritable`.
 */
export async function producePrivately(
  engine: Engine,
  production: PrivateProduction,
): Promise<ProducedPrivately> {
  const { start, training, plan, out, checkpoint, ledger, signal, today = () => new Date() } = production;
  const { onStart, onEpoch, onWarning, progress } = production;
  const startedAt = today().toISOString();
  const { delta } = plan.options;
  if (!checkpoint.resume && existsSync(checkpoint.path)) {
    onWarning?.(
      `${checkpoint.path} held an interrupted run, which is lost now; what it set aside in the ledger stays spent`,
    );
    await destroyCheckpoint(checkpoint.path);
  }
  let produced: Omit<ProducedPrivately, 'trained'> | undefined;
  const trained = await trainPrivately(engine, start.model, training.samples, {
    ...plan.options,
    modelDigest: start.digest,
    checkpoint,
    ...(ledger
      ? {
          ledger: {
            path: ledger.path,
            dataSet: training.dataSet,
            ...(ledger.most === undefined ? {} : { limit: { epsilon: ledger.most, delta } }),
          },
        }
      : {}),
    ...(signal ? { signal } : {}),
    ...(onStart ? { onStart } : {}),
    ...(onEpoch ? { onEpoch } : {}),
    ...(onWarning ? { onWarning } : {}),
    ...(progress ? { progress } : {}),
    today,
    async onTrained(done) {
      const bytes = serializeModel(done.model);
      const record: TrainingRecord = {
        schema: TRAINING_SCHEMA,
        model: modelRecord(done.model, bytes, out, false),
        start: { ...start.origin, modelDigest: start.digest },
        data: production.data,
        ...(production.validation ? { validation: production.validation } : {}),
        config: plan.config,
        privacy: await privacyOf(production, done),
        environment: production.environment,
        epochs: done.epochs.map(recorded),
        outcome: { epoch: done.epochs.length - 1, stopped: null, fellBack: null },
        startedAt,
        finishedAt: today().toISOString(),
        command: production.command ?? null,
      };
      produced = { record, recordPath: await writeProduced(out, bytes, publishable(record)) };
      await production.onWritten?.(record);
    },
  });
  return { trained, ...produced! };
}

async function privacyOf(
  { plan, training, ledger, weights, signal }: PrivateProduction,
  { privacy, rate, expected, steps, noise, gradientNoise, clip, rewritten, warnings }: PrivatelyTrained,
): Promise<PrivacyRecord> {
  const { delta } = plan.options;
  const other: Accountant = privacy?.accountant === 'rdp' ? 'pld' : 'rdp';
  const by = (runs: PrivacyStatement['runs'], accountant: Accountant) =>
    epsilonFor(runs, delta, { accountant, signal });
  const spent = ledger ? await runsOn(ledger.path, training.dataSet) : [];
  return {
    covers: 'weights',
    statements: privacy ? [privacy, by(privacy.runs, other)] : [],
    rate,
    expectedBatch: expected,
    steps,
    noise,
    gradientNoise,
    clip,
    start: weights,
    rewritten,
    warnings,
    allRuns:
      privacy && ledger
        ? {
            runs: spent.length,
            statement: by(
              spent.map(({ run }) => run),
              'pld',
            ),
          }
        : null,
  };
}

function recorded({ samples: _, ...epoch }: PrivateEpoch): RecordedEpoch {
  return epoch;
}

import { rm } from 'node:fs/promises';
import type { Model } from '../onnx/model.ts';
import { serializeModel } from '../onnx/write.ts';
import type { Engine } from '../runtime/engine.ts';
import { foldBatchNormalization } from '../transform/fold-batch-normalization.ts';
import type { Epoch, StepFigures } from './journal.ts';
import type { Material } from './material.ts';
import type { PlannedTraining } from './plan/training.ts';
import { modelRecord, writeProduced } from './produced-files.ts';
import { type DataRecord, TRAINING_SCHEMA, type TrainingEnvironment, type TrainingRecord } from './record.ts';
import { openRunLog, type RunLog } from './run-log.ts';
import type { StartingModel } from './starting-model.ts';
import { train } from './trainer.ts';

/** A training that ends in a file with its record. */
export interface Production {
  readonly start: StartingModel;
  readonly training: Material;
  readonly plan: PlannedTraining;
  /** What the record says about the data. */
  readonly data: DataRecord;
  readonly validation?: TrainingRecord['validation'] | undefined;
  readonly environment: TrainingEnvironment;
  /** The ONNX file to write; its record goes beside it. */
  readonly out: string;
  /** Where the run is kept until it is over. */
  readonly checkpoint: { readonly path: string; readonly resume: boolean; readonly removeAtEnd: boolean };
  readonly log?: string | undefined;
  /** Writes BatchNormalization into the layers before it. */
  readonly fold: boolean;
  readonly command?: string | undefined;
  readonly onStart?: (steps: number, total: number) => void;
  readonly onStep?: (figures: StepFigures) => void;
  readonly onEpoch?: (epoch: Epoch, number: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** The time of day. Default: the system's. */
  readonly today?: () => Date;
}

/** What was written. */
export interface Produced {
  readonly model: Model;
  readonly record: TrainingRecord;
  readonly recordPath: string;
}

/**
 * Trains, and writes the model with its record; the checkpoint goes when both are there. Killed at any moment, the same call with `resume`
 * goes on and ends in the same bytes. Errors: those of `train`; `output/unwritable`.
 */
export async function produce(engine: Engine, production: Production): Promise<Produced> {
  const { start, training, plan, out, checkpoint, signal, today = () => new Date() } = production;
  const startedAt = today().toISOString();
  const log: RunLog | undefined =
    production.log === undefined ? undefined : openRunLog(production.log, plan.options.epochs);
  try {
    const trained = await train(engine, start.model, training.samples, {
      ...plan.options,
      modelDigest: start.digest,
      checkpoint: { path: checkpoint.path, resume: checkpoint.resume },
      ...(signal ? { signal } : {}),
      onStart(steps, total, epochs) {
        log?.started(steps, total, epochs);
        production.onStart?.(steps, total);
      },
      onStep(figures) {
        log?.step(figures);
        production.onStep?.(figures);
      },
      onEpoch(epoch, number) {
        log?.epoch(epoch, number);
        production.onEpoch?.(epoch, number);
      },
    });
    const model = production.fold ? foldBatchNormalization(trained.model) : trained.model;
    const bytes = serializeModel(model);
    const record: TrainingRecord = {
      schema: TRAINING_SCHEMA,
      model: modelRecord(model, bytes, out, production.fold),
      start: { ...start.origin, modelDigest: start.digest },
      data: production.data,
      ...(production.validation ? { validation: production.validation } : {}),
      config: plan.config,
      environment: production.environment,
      epochs: trained.epochs,
      outcome: {
        epoch: trained.epoch,
        stopped: trained.stopped ?? null,
        fellBack: trained.fellBack ?? null,
      },
      startedAt,
      finishedAt: today().toISOString(),
      command: production.command ?? null,
    };
    const path = await writeProduced(out, bytes, record);
    if (checkpoint.removeAtEnd) await rm(checkpoint.path, { force: true });
    return { model, record, recordPath: path };
  } finally {
    log?.close();
  }
}

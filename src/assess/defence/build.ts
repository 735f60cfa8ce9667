import { resolve } from 'node:path';
import { GlacisError } from '../../core/error.ts';
import type { Model } from '../../onnx/model.ts';
import { readModel } from '../../onnx/read.ts';
import { writeModel } from '../../onnx/write.ts';
import type { Device } from '../../runtime/device.ts';
import { type Engine, startEngine } from '../../runtime/engine.ts';
import { defend } from '../../transform/defence/defend.ts';
import { SQUEEZE_DISTANCE, withDetector, withThreshold } from '../../transform/defence/detector.ts';
import type { PlannedDefence } from '../../transform/defence/registry.ts';
import { scaleTemperature } from '../../transform/temperature.ts';
import { calibrationOf } from '../calibration/calibration.ts';
import { confidencesOf, type Scored } from '../calibration/confidences.ts';
import { fitTemperature } from '../calibration/fit-temperature.ts';
import { type Loaded, type LoadOptions, load } from '../load.ts';
import { logScores } from '../log-scores.ts';
import { openDeployed } from './deployed.ts';
import { thresholdFor } from './detector-record.ts';
import type { TemperatureResult } from './result.ts';

/** What to put on a model. */
export interface BuildOptions extends Omit<LoadOptions, 'data' | 'surrogate'> {
  readonly defences: readonly PlannedDefence[];
  /** Squeezers of a detector; none without. */
  readonly squeezers?: readonly PlannedDefence[] | undefined;
  /** Share of clean samples that the detector may reject. */
  readonly falsePositiveRate?: number | undefined;
  /** Fits a temperature to the logits. */
  readonly temperature?: boolean | undefined;
  /** Needed for a detector and a temperature: the first half of the `n` samples is what they are fitted on. */
  readonly data?: string | undefined;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** Where the defended file goes. */
  readonly out: string;
}

/** What was written. */
export interface Built {
  /** Samples at the start of the data that something was fitted on. */
  readonly fitted: number;
  readonly threshold?: number;
  readonly temperature?: TemperatureResult;
}

/** Samples that are taken where none are asked for: half to fit on, half for figures. */
const SAMPLES = 400;

/**
 * Puts defences on a model file, fits what is to be fitted, in the order defences, temperature, detector, and writes the result.
 * Errors: those of reading, loading and `defend`; `option/invalid` where something is to be fitted without data; `output/unwritable`.
 */
export async function buildDefended(options: BuildOptions): Promise<Built> {
  const { defences, squeezers, falsePositiveRate = 0.05, signal, out } = options;
  if (defences.length === 0 && !squeezers && !options.temperature)
    throw new GlacisError(
      'option/invalid',
      'defend: expected a defence, a detector or a temperature, got none',
    );
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1))
    throw new GlacisError(
      'option/invalid',
      `--detector-fpr: expected a share above 0 and below 1, got ${falsePositiveRate}`,
    );
  if (resolve(out) === resolve(options.model))
    throw new GlacisError(
      'option/invalid',
      `--out: expected another file than the model, got ${out} for both`,
    );
  const file: Model = await readModel(options.model, signal ? { signal } : {});
  const pictures = { ...options, sampleDims: options.shape };
  let model = defences.length > 0 ? defend(file, defences, pictures) : file;
  let built: Built = { fitted: 0 };
  if (squeezers || options.temperature) {
    const { data } = options;
    if (data === undefined)
      throw new GlacisError(
        'option/invalid',
        'defend: expected --data to fit a detector or a temperature on, got none',
      );
    if (Object.keys(options.fix ?? {}).length > 0)
      throw new GlacisError(
        'option/invalid',
        'defend: expected a model whose only input are the pictures, to fit something on it, got --fix as well',
      );
    const engine = startEngine({
      ...(options.device && { device: options.device }),
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    let loaded: Loaded | undefined;
    try {
      loaded = await load(engine, { ...options, data, most: SAMPLES });
      const fitted = Math.floor(loaded.adapted.n / 2);
      if (fitted < 1)
        throw new GlacisError(
          'option/invalid',
          `data: expected two samples or more to fit on, got ${loaded.adapted.n}`,
        );
      built = { fitted };
      const output = loaded.subject.target?.found.output;
      if (options.temperature) {
        const temperature = await fittedTemperature(engine, loaded, model, fitted, options);
        if (!temperature.atLimit) model = scaleTemperature(model, temperature.temperature, output);
        built = { ...built, temperature };
      }
      if (squeezers) {
        const detecting = withDetector(model, squeezers, { ...pictures, output });
        const { x, count } = await loaded.adapted.read(0, fitted, signal);
        const distances = await answers(engine, loaded, detecting, SQUEEZE_DISTANCE, x, count, options);
        const threshold = thresholdFor(distances, falsePositiveRate);
        model = withThreshold(detecting, squeezers, { threshold, falsePositiveRate, samples: fitted });
        built = { ...built, threshold };
      }
    } finally {
      await loaded?.close().catch(() => {});
      await engine.close();
    }
  }
  await writeModel(out, model, signal ? { signal } : {});
  return built;
}

async function fittedTemperature(
  engine: Engine,
  loaded: Loaded,
  model: Model,
  fitted: number,
  options: BuildOptions,
): Promise<TemperatureResult> {
  const { adapted, subject, task, labels } = loaded;
  if (task !== 'classification' && task !== 'binary')
    throw new GlacisError(
      'model/unsupported-task',
      `--fit-temperature: expected a model that answers with classes, got ${task}`,
    );
  const output = subject.target!.found.output;
  const read = async (from: number, count: number): Promise<Scored> => {
    const { x } = await adapted.read(from, count, options.signal);
    const scores = await answers(engine, loaded, model, output, x, count, options);
    const logits = logScores(subject, scores);
    return { logits, labels: labels.subarray(from, from + count), classes: subject.classes };
  };
  const found = fitTemperature(await read(0, fitted));
  // A temperature without a limit only makes the model saturate, which hides its gradient and protects nobody.
  const { atLimit, temperature } = found.atLimit ? { atLimit: true, temperature: 1 } : found;
  const rest = await read(fitted, adapted.n - fitted);
  return {
    temperature,
    atLimit,
    samples: fitted,
    before: calibrationOf(confidencesOf(rest)),
    after: calibrationOf(confidencesOf(rest, temperature)),
  };
}

/** What the deployed form of a model that is not written yet gives. */
async function answers(
  engine: Engine,
  { subject: { sampleDims }, batch }: Loaded,
  model: Model,
  output: string,
  x: Float32Array,
  n: number,
  options: Pick<BuildOptions, 'input' | 'mean' | 'std' | 'signal'>,
): Promise<Float32Array> {
  const predictor = await openDeployed(engine, model, { ...options, output, sampleDims, batch });
  try {
    return await predictor.predict(x, n, options.signal);
  } finally {
    await predictor.close();
  }
}

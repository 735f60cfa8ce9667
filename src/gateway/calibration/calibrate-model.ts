import { fileSource } from '../../assess/file-source.ts';
import type { LoadOptions } from '../../assess/load.ts';
import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';
import type { Progress } from '../../core/progress.ts';
import { clopperPearson } from '../../core/statistics/clopper-pearson.ts';
import { calibrateDetector, keptWatched } from '../../detect/calibration/calibrate.ts';
import { openObserver } from '../../detect/calibration/observe.ts';
import {
  CALIBRATION_SCHEMA,
  type Calibration,
  type GuardCalibration,
} from '../../detect/calibration/schema.ts';
import { splitCalm } from '../../detect/calibration/split.ts';
import { fewestFor } from '../../detect/calibration/threshold.ts';
import { calibrateClients } from '../../detect/clients/calibrate-clients.ts';
import type { ClientDetector } from '../../detect/clients/client-detector.ts';
import { CLIENT_DETECTORS, clientParts, NAMED_CLIENT_DETECTORS } from '../../detect/clients/client-parts.ts';
import type { Detector, Observations, Watched } from '../../detect/detector.ts';
import { DETECTORS } from '../../detect/detectors.ts';
import { inlineFunctions } from '../../onnx/functions.ts';
import { readModel } from '../../onnx/read.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { Engine } from '../../runtime/engine.ts';
import { rootDigest } from '../../supply/sign/manifest.ts';
import { readManifest } from '../../supply/sign/read-manifest.ts';
import { withFeatures } from '../../transform/features.ts';
import { areProbabilities } from '../backend/find-classifier.ts';
import { type WholeData, wholeData } from './whole-data.ts';

/** What is calibrated, on what. */
export interface CalibrateOptions
  extends Pick<
    LoadOptions,
    | 'model'
    | 'data'
    | 'range'
    | 'layout'
    | 'imageSize'
    | 'target'
    | 'input'
    | 'output'
    | 'shape'
    | 'batch'
    | 'signal'
  > {
  /** Samples that guards learn from, where they are not to be a part of the calm ones. */
  readonly fit?: string | undefined;
  /** Attacked samples, to say how many are found. */
  readonly attacked?: string | undefined;
  /** Guards by name; all that suit the model without. */
  readonly guards?: readonly string[] | undefined;
  /** Rates of false alarms that thresholds are set for. */
  readonly rates: readonly number[];
  /** Of how many calibrations each rate is promised; a mean over all without. */
  readonly confidence?: number | undefined;
  readonly seed: number;
  /** Most samples of each data set; those of a larger one are drawn at random. */
  readonly n?: number | undefined;
  readonly say: (line: string) => void;
  readonly progress: Progress;
}

/** Samples of a data set unless more are asked for. */
const USUAL = 20_000;

/**
 * Calibrates a model's guards: learns what is calm, sets thresholds for stated rates of false alarms, and measures the rates on the half of the calm samples that was held out.
 * Nothing needs labels. Errors: those of model and data; `option/unknown` (a guard), `option/invalid` (a guard that was named and does not suit the model),
 * `data/mismatch` (fewer samples than the lowest of `rates` needs for any threshold). Cost: one pass a sample, of squeezing three.
 */
export async function calibrateModel(engine: Engine, options: CalibrateOptions): Promise<Calibration> {
  const { signal, say, rates, seed } = options;
  const chosen = detectorsNamed(options.guards);
  const { manifest } = await readManifest(options.model, { signal });
  const source = await fileSource(engine, options);
  const read = (path: string) => wholeData(path, source.input, { ...options, n: options.n ?? USUAL });
  const calm = await read(options.data);
  const split = splitCalm(calm.n, seed, options.fit !== undefined);
  checkCounts(split.threshold.length, calm.n, options);
  const learnt = options.fit === undefined ? undefined : await read(options.fit);
  const attacked = options.attacked === undefined ? undefined : await read(options.attacked);
  const size = elementCount(calm.shape);
  const count = Math.min(FIRST, calm.n);
  const first = {
    start: 0,
    count,
    x: calm.x.slice(0, count * size),
    shape: [count, ...calm.shape],
    indices: Int32Array.from({ length: count }, (_, i) => i),
  };
  const { subject, batch } = await source.open(calm.shape, first);
  try {
    if (!subject.target)
      throw new GlacisError('option/invalid', 'calibrate: expected a model file, got an endpoint');
    const features = await featuresIn(options.model, subject.target.found.output, signal);
    const observer = await openObserver(subject.target, batch, { features });
    const observe = (of: WholeData) => observer.observe(of.x, of.n, signal);
    const seen = await observe(calm);
    const parts = {
      fit: learnt ? await observe(learnt) : some(seen, split.fit),
      threshold: some(seen, split.threshold),
      heldOut: some(seen, split.heldOut),
      attacked: attacked && (await observe(attacked)),
    };
    const { classes } = observer.watched;
    const watched: Watched = {
      ...observer.watched,
      gives: areProbabilities(seen.scores, classes) ? 'probabilities' : 'logits',
      range: calm.range,
    };
    const guards: Record<string, GuardCalibration> = {};
    // The guard of plain values has no threshold; it takes the range of the data.
    if (!chosen.isNamed && watched.range)
      guards.input = { watched: keptWatched(watched), fit: {}, thresholds: [] };
    const interval = (k: number, n: number) => clopperPearson(k, n);
    const calibrated = async (
      id: string,
      make: () => GuardCalibration | Promise<GuardCalibration>,
      unfit: readonly string[],
    ) => {
      options.progress({ label: `calibrate ${id}`, done: Object.keys(guards).length });
      try {
        const made = await make();
        if (made.thresholds.length > 0) guards[id] = made;
        else
          throw new GlacisError(
            'data/mismatch',
            `${id}: expected more calm samples to set any threshold on; give more, or a higher rate with --rates`,
          );
      } catch (thrown) {
        if (chosen.isNamed || !(thrown instanceof GlacisError && unfit.includes(thrown.code))) throw thrown;
        say(`left out: ${thrown.message}`);
      }
    };
    for (const detector of chosen.detectors)
      await calibrated(
        detector.id,
        () => calibrateDetector(detector, watched, parts, rates, interval, options.confidence),
        ['option/invalid'],
      );
    const clients = clientParts(seen, seed);
    for (const detector of chosen.clients)
      await calibrated(
        detector.id,
        () =>
          calibrateClients(detector, watched, clients, rates, CLIENT_MEMORY, interval, options.confidence),
        ['option/invalid', 'data/mismatch'],
      );
    return {
      schema: CALIBRATION_SCHEMA,
      model: `sha256:${rootDigest(manifest.resources)}`,
      data: {
        calm: calm.digest,
        ...(learnt && { fit: learnt.digest }),
        ...(attacked && { attacked: attacked.digest }),
        seed,
        samples: {
          fit: parts.fit.n,
          threshold: parts.threshold.n,
          heldOut: parts.heldOut.n,
          ...(parts.attacked && { attacked: parts.attacked.n }),
        },
      },
      guards,
    };
  } finally {
    await subject.target?.close();
    await subject.oracle.close();
    await subject.predictor.close();
  }
}

/** What detectors of clients remember while they are calibrated. */
const CLIENT_MEMORY = { salt: 0, capacity: 2 ** 15, askers: 1024 };

/** Samples on which the graph that is observed is compared with the deployed file. */
const FIRST = 8;

/** Says which rates cannot be promised. Errors: `data/mismatch` where none can. */
function checkCounts(
  threshold: number,
  all: number,
  { rates, confidence, say }: Pick<CalibrateOptions, 'rates' | 'confidence' | 'say'>,
): void {
  const highest = Math.max(...rates);
  const fewest = fewestFor(highest, confidence);
  if (threshold < fewest)
    throw new GlacisError(
      'data/mismatch',
      `calm samples: expected at least ${fewest} to set a threshold for ${highest} on, got ${threshold} of ${all}; give more samples, or a higher rate with --rates`,
    );
  for (const rate of rates)
    if (threshold < fewestFor(rate, confidence))
      say(
        `no thresholds for ${rate}: they need ${fewestFor(rate, confidence)} calm samples beside those held out and learnt from, and there are ${threshold}`,
      );
}

/** The name of what the last layer sees, found as the server finds it; empty where there is none. */
async function featuresIn(path: string, output: string, signal: AbortSignal | undefined): Promise<string> {
  const model = inlineFunctions(await readModel(path, signal ? { signal } : {}));
  const made = withFeatures(model, output);
  // The node that gives them stands last, and hands on what it sees.
  return made?.model.graph.nodes.at(-1)?.inputs[0] ?? '';
}

function detectorsNamed(names: readonly string[] | undefined): {
  readonly detectors: readonly Detector<unknown>[];
  readonly clients: readonly ClientDetector<unknown>[];
  readonly isNamed: boolean;
} {
  if (names === undefined) return { detectors: DETECTORS, clients: CLIENT_DETECTORS, isNamed: false };
  const watching = [...CLIENT_DETECTORS, ...NAMED_CLIENT_DETECTORS];
  const known = [...DETECTORS, ...watching].map(({ id }) => id);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new GlacisError(
      'option/unknown',
      `--guards: expected ${known.join(', ')}, got '${unknown}'${suggestion(unknown, known)}`,
    );
  return {
    detectors: DETECTORS.filter(({ id }) => names.includes(id)),
    clients: watching.filter(({ id }) => names.includes(id)),
    isNamed: true,
  };
}

/** Some of the samples. */
function some({ n, x, scores, features }: Observations, numbers: Int32Array): Observations {
  const pick = (values: Float32Array) => {
    const width = values.length / n;
    const taken = new Float32Array(numbers.length * width);
    for (const [i, number] of numbers.entries())
      taken.set(values.subarray(number * width, (number + 1) * width), i * width);
    return taken;
  };
  return { n: numbers.length, x: pick(x), scores: pick(scores), features: features && pick(features) };
}

import { fileSource } from '../../assess/file-source.ts';
import type { LoadOptions } from '../../assess/load.ts';
import { clopperPearson } from '../../assess/statistics/clopper-pearson.ts';
import { GlacisError } from '../../core/error.ts';
import { suggestion } from '../../core/options.ts';
import type { Progress } from '../../core/progress.ts';
import { type AdaptedDataset, adaptDataset, openDataset } from '../../data/index.ts';
import { calibrateDetector } from '../../detect/calibration/calibrate.ts';
import { type Observer, openObserver } from '../../detect/calibration/observe.ts';
import { CALIBRATION_SCHEMA, type Calibration } from '../../detect/calibration/schema.ts';
import { splitCalm } from '../../detect/calibration/split.ts';
import { fewestFor } from '../../detect/calibration/threshold.ts';
import type { Detector, Observations } from '../../detect/detector.ts';
import { DETECTORS } from '../../detect/detectors.ts';
import type { Engine } from '../../runtime/engine.ts';
import { rootDigest } from '../../supply/sign/manifest.ts';
import { readManifest } from '../../supply/sign/read-manifest.ts';

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
  readonly seed: number;
  /** Most samples of each data set; those of a larger one are drawn at random. */
  readonly n?: number | undefined;
  readonly say: (line: string) => void;
  readonly progress: Progress;
}

/** Samples of a data set unless more are asked for. */
const USUAL = 20_000;
/** Most values of a data set: half a gibibyte. */
const MOST_VALUES = 2 ** 27;

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
  const open = (path: string) => openAdapted(path, source.input, options);
  const calm = await open(options.data);
  const first = await calm.read(0, Math.min(8, calm.n), signal);
  const { subject, batch } = await source.open(calm.shape, first);
  try {
    if (!subject.target)
      throw new GlacisError('option/invalid', 'calibrate: expected a model file, got an endpoint');
    const observer = await openObserver(subject.target, batch);
    const { low, high } = calm.bounds ?? { low: [], high: [] };
    const watched = {
      ...observer.watched,
      range: low.length > 0 ? ([Math.min(...low), Math.max(...high)] as const) : undefined,
    };
    const split = splitCalm(calm.n, seed, options.fit !== undefined);
    const fewest = fewestFor(Math.max(...rates));
    if (split.threshold.length < fewest)
      throw new GlacisError(
        'data/mismatch',
        `calm samples: expected at least ${fewest} to set a threshold for ${Math.max(...rates)} on, got ${split.threshold.length} of ${calm.n}; give more samples, or a higher rate with --rates`,
      );
    const learnt = options.fit === undefined ? undefined : await open(options.fit);
    const attacked = options.attacked === undefined ? undefined : await open(options.attacked);
    const seen = await observeAll(observer, calm, options);
    const parts = {
      fit: learnt ? await observeAll(observer, learnt, options) : some(seen, split.fit),
      threshold: some(seen, split.threshold),
      heldOut: some(seen, split.heldOut),
      attacked: attacked && (await observeAll(observer, attacked, options)),
    };
    const guards: Record<string, Calibration['guards'][string]> = {};
    for (const detector of chosen.detectors) {
      options.progress({ label: `calibrate ${detector.id}`, done: 0 });
      try {
        guards[detector.id] = await calibrateDetector(detector, watched, parts, rates, (k, n) =>
          clopperPearson(k, n),
        );
      } catch (thrown) {
        const isUnfit = thrown instanceof GlacisError && thrown.code === 'option/invalid';
        if (chosen.isNamed || !isUnfit) throw thrown;
        say(`left out: ${thrown.message}`);
      }
    }
    for (const rate of rates)
      if (split.threshold.length < fewestFor(rate))
        say(
          `no thresholds for ${rate}: they need ${fewestFor(rate)} calm samples beside those held out and learnt from, and there are ${split.threshold.length}`,
        );
    return {
      schema: CALIBRATION_SCHEMA,
      model: `sha256:${rootDigest(manifest.resources)}`,
      data: {
        calm: prefixed(calm.digest),
        ...(learnt && { fit: prefixed(learnt.digest) }),
        ...(attacked && { attacked: prefixed(attacked.digest) }),
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

function detectorsNamed(names: readonly string[] | undefined): {
  readonly detectors: readonly Detector<unknown>[];
  readonly isNamed: boolean;
} {
  if (names === undefined) return { detectors: DETECTORS, isNamed: false };
  const known = DETECTORS.map(({ id }) => id);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new GlacisError(
      'option/unknown',
      `--guards: expected ${known.join(', ')}, got '${unknown}'${suggestion(unknown, known)}`,
    );
  return { detectors: DETECTORS.filter(({ id }) => names.includes(id)), isNamed: true };
}

async function openAdapted(
  path: string,
  input: Parameters<typeof adaptDataset>[1] extends infer I ? Omit<I, 'dtype'> : never,
  { signal, target, imageSize, range, layout, n, seed, say }: CalibrateOptions,
): Promise<AdaptedDataset> {
  const dataset = await openDataset(path, {
    ...(signal && { signal }),
    ...(target !== undefined && { target }),
    ...(imageSize && { imageSize }),
  });
  const size = dataset.sampleShape.reduce((product, d) => product * d, 1);
  const most = Math.min(n ?? USUAL, Math.max(1, Math.floor(MOST_VALUES / size)));
  if (most < dataset.n) say(`${path}: ${most} of ${dataset.n} samples were drawn; --n takes more`);
  return adaptDataset(
    dataset,
    { ...input, dtype: 'float32' },
    {
      ...(most < dataset.n && { n: most, shuffle: seed }),
      ...(range && { range }),
      ...(layout && { layout }),
    },
    signal,
  );
}

async function observeAll(
  observer: Observer,
  data: AdaptedDataset,
  { signal, progress }: CalibrateOptions,
): Promise<Observations> {
  const size = data.shape.reduce((product, d) => product * d, 1);
  const x = new Float32Array(data.n * size);
  for await (const batch of data.batches(500, signal)) x.set(batch.x, batch.start * size);
  progress({ label: 'passes', done: 0, total: data.n });
  return observer.observe(x, data.n, signal);
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

function prefixed(digest: string): string {
  return digest.startsWith('sha256:') ? digest : `sha256:${digest}`;
}

import { GlacisError } from '../core/error.ts';
import {
  type AdaptedDataset,
  adaptDataset,
  type Dataset,
  type Labels,
  openDataset,
  readLabelFile,
  type StoredLayout,
} from '../data/index.ts';
import type { Engine } from '../runtime/engine.ts';
import type { Constraint } from '../threat/constraint.ts';
import type { Task } from '../threat/goal.ts';
import { type EndpointOptions, endpointSource, isEndpoint } from './endpoint-source.ts';
import { fileSource } from './file-source.ts';
import { taskFor } from './goal-for.ts';
import type { ModelSource } from './model-source.ts';
import { openConstraint } from './open-constraint.ts';
import { openSurrogate, type Surrogate, type SurrogateOptions } from './open-surrogate.ts';
import type { Subject } from './subject.ts';

/** Model and data, and how they fit together. */
export interface LoadOptions {
  /** Path of the ONNX file, address of an endpoint, or path of an adapter (an ES module). */
  readonly model: string;
  /** As `openDataset` takes it. */
  readonly data: string;
  /** File with labels `[n]` or `[n, k]` (.npy), where the data bring none or several a sample. */
  readonly labels?: string | undefined;
  readonly task?: Task | undefined;
  /** How far a regression may be off, in the output's units. */
  readonly tolerance?: number | undefined;
  readonly n?: number | undefined;
  /** The most samples to take where `n` is not given. */
  readonly most?: number | undefined;
  /** Seed of a random choice of samples; the first `n` without. */
  readonly shuffle?: number | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Files (.npy) with the values of the other inputs, by input. */
  readonly fix?: Readonly<Record<string, string>> | undefined;
  /** Shape of one sample, where the model leaves it open. */
  readonly shape?: readonly number[] | undefined;
  readonly range?: readonly [number, number] | undefined;
  readonly layout?: StoredLayout | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly imageSize?: readonly [number, number] | undefined;
  /** Target column of a table. */
  readonly target?: string | undefined;
  /** Samples in one run; chosen from the model's cost without. */
  readonly batch?: number | undefined;
  /** Path of a constraint file (docs/constraints.md). */
  readonly constraint?: string | undefined;
  /** Examples must survive being saved in 8 bits. */
  readonly eightBit?: boolean | undefined;
  /** Another model, for attacks that make their examples there. */
  readonly surrogate?: SurrogateOptions | undefined;
  /** How an endpoint is asked. */
  readonly endpoint?: EndpointOptions | undefined;
  /** Receives sentences worth reading while it runs. */
  readonly say?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Samples on which the graph for the attack is compared with the deployed file. */
const FIRST = 8;

/** A model with the data to attack it on, ready to run. */
export interface Loaded {
  readonly source: ModelSource;
  readonly dataset: Dataset;
  readonly adapted: AdaptedDataset;
  readonly subject: Subject;
  readonly surrogate: Surrogate | undefined;
  readonly task: Task;
  /** Labels of the samples, `width` a sample. */
  readonly labels: Labels;
  readonly width: number;
  readonly batch: number;
  /** The deployed file answers differently each time. */
  readonly randomised: boolean;
  /** Least and greatest value of an input. */
  readonly bounds: readonly [number, number];
  /** What examples must satisfy beside ball and bounds. */
  readonly constraint: Constraint | undefined;
  readonly modelNotes: readonly string[];
  readonly dataNotes: readonly string[];
  close(): Promise<void>;
}

/** Reads model and data, fits them to each other and opens both. Errors: those of everything that it opens. */
export async function load(engine: Engine, options: LoadOptions): Promise<Loaded> {
  const { signal } = options;
  const source = await sourceOf(engine, options);
  const dataset = await openDataset(options.data, {
    ...(signal && { signal }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.imageSize && { imageSize: options.imageSize }),
    ...(options.task === 'regression' && { task: 'regression' as const }),
  });
  try {
    const { most } = options;
    const isCut = options.n === undefined && most !== undefined && most < dataset.n;
    const n = isCut ? most : options.n;
    const adapted = await adaptDataset(
      dataset,
      { ...source.input, dtype: 'float32' },
      {
        ...(n !== undefined && { n }),
        ...(options.shuffle !== undefined && { shuffle: options.shuffle }),
        ...(options.range && { range: options.range }),
        ...(options.layout && { layout: options.layout }),
      },
      signal,
    );
    const first = await adapted.read(0, Math.min(FIRST, adapted.n), signal);
    const { subject, batch, randomised, unit, notes } = await source.open(adapted.shape, first);
    const { labels, width } = await labelsOf(adapted, dataset.n, options.labels, signal);
    const task = taskFor({
      classes: subject.classes,
      labels,
      width,
      task: options.task,
      tolerance: options.tolerance,
    });
    const modelNotes = [...notes];
    if (!subject.activation)
      modelNotes.push(
        task === 'regression'
          ? 'outputs were read as predictions'
          : 'no softmax or sigmoid at the end: outputs were read as logits',
      );
    if (task === 'binary' && !subject.activation && unit)
      modelNotes.push(
        'all first outputs lie between 0 and 1: if they are probabilities, the threshold of 0 for logits is wrong for them; export the model with its sigmoid as an operator',
      );
    const { low, high } = adapted.bounds ?? {
      low: [Number.NEGATIVE_INFINITY],
      high: [Number.POSITIVE_INFINITY],
    };
    const bounds: readonly [number, number] = [Math.min(...low), Math.max(...high)];
    const constraint = await openConstraint(options, adapted.shape, bounds, dataset.columns);
    const surrogate =
      options.surrogate && (await openSurrogate(engine, options.surrogate, options, subject, first));
    return {
      source,
      dataset,
      adapted,
      subject,
      surrogate,
      randomised,
      task,
      labels,
      width,
      batch,
      bounds,
      constraint,
      modelNotes: [...modelNotes, ...(surrogate?.notes ?? [])],
      dataNotes: [
        ...adapted.notes,
        ...(constraint ? [`examples must satisfy a constraint: ${constraint.title}`] : []),
        ...(isCut ? [`the first ${n} of ${dataset.n} samples were taken, to be quick; --n takes more`] : []),
      ],
      async close() {
        await subject.target?.close();
        await surrogate?.target.close();
        await subject.oracle.close();
        await subject.predictor.close();
        await dataset.close();
      },
    };
  } catch (error) {
    await dataset.close().catch(() => {});
    throw error;
  }
}

function sourceOf(engine: Engine, options: LoadOptions): Promise<ModelSource> {
  return isEndpoint(options.model) ? endpointSource(options) : fileSource(engine, options);
}

async function labelsOf(
  adapted: AdaptedDataset,
  total: number,
  path: string | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly labels: Labels; readonly width: number }> {
  if (path === undefined) {
    if (!adapted.labels)
      throw new GlacisError(
        'data/mismatch',
        'data: expected labels, found none; give them as the second file (images,labels), as y in the .npz, or with --labels',
      );
    return { labels: adapted.labels, width: 1 };
  }
  return readLabelFile(path, adapted.indices, total, signal);
}

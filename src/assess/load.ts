import { GlacisError } from '../core/error.ts';
import {
  type AdaptedDataset,
  adaptDataset,
  type Dataset,
  type Labels,
  openDataset,
  type StoredLayout,
} from '../data/index.ts';
import { inlineFunctions } from '../onnx/functions.ts';
import type { Model, ValueInfo } from '../onnx/model.ts';
import { type ModelFile, readModel } from '../onnx/read.ts';
import { type Tensor, tensorFrom } from '../onnx/tensor.ts';
import { toFloat32 } from '../onnx/to-float32.ts';
import type { Engine } from '../runtime/engine.ts';
import type { FixedInputs } from '../runtime/fixed-input.ts';
import type { Task } from '../threat/goal.ts';
import { normaliseInput, PIXELS } from '../transform/normalise-input.ts';
import { taskFor } from './goal-for.ts';
import { openSubject } from './open-subject.ts';
import type { Subject } from './subject.ts';

/** Model and data, and how they fit together. */
export interface LoadOptions {
  /** Path of the ONNX file. */
  readonly model: string;
  /** As `openDataset` takes it. */
  readonly data: string;
  /** File with labels `[n]` or `[n, k]` (.npy), where the data bring none or several a sample. */
  readonly labels?: string | undefined;
  readonly task?: Task | undefined;
  /** How far a regression may be off, in the output's units. */
  readonly tolerance?: number | undefined;
  readonly n?: number | undefined;
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
  readonly signal?: AbortSignal | undefined;
}

/** Samples on which the graph for the attack is compared with the deployed file. */
const FIRST = 8;

/** A model with the data to attack it on, ready to run. */
export interface Loaded {
  readonly file: ModelFile;
  readonly dataset: Dataset;
  readonly adapted: AdaptedDataset;
  readonly subject: Subject;
  readonly task: Task;
  /** Labels of the samples, `width` a sample. */
  readonly labels: Labels;
  readonly width: number;
  readonly batch: number;
  /** The deployed file answers differently each time. */
  readonly randomised: boolean;
  /** Least and greatest value of an input. */
  readonly bounds: readonly [number, number];
  readonly modelNotes: readonly string[];
  readonly dataNotes: readonly string[];
  close(): Promise<void>;
}

/** Reads model and data, fits them to each other and opens both. Errors: those of everything that it opens. */
export async function load(engine: Engine, options: LoadOptions): Promise<Loaded> {
  const { signal } = options;
  const file = await readModel(options.model, signal ? { signal } : {});
  const fixed = await fixedInputs(file, options.fix ?? {}, signal);
  const notes: string[] = [];
  const wide = toFloat32(inlineFunctions(file), { float16: true });
  const input = chooseInput(wide.model, options.input, fixed);
  const dims = input.dims && options.shape ? [input.dims[0] ?? null, ...options.shape] : input.dims;
  if (dims === undefined && !options.shape)
    throw new GlacisError(
      'model/dynamic-shape',
      `input ${input.name}: expected a shape in the file, found none; give one sample's with --shape`,
    );
  const dataset = await openDataset(options.data, {
    ...(signal && { signal }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.imageSize && { imageSize: options.imageSize }),
    ...(options.task === 'regression' && { task: 'regression' as const }),
  });
  try {
    const adapted = await adaptDataset(
      dataset,
      { name: input.name, dims: dims ?? [null, ...(options.shape ?? [])], dtype: 'float32' },
      {
        ...(options.n !== undefined && { n: options.n }),
        ...(options.shuffle !== undefined && { shuffle: options.shuffle }),
        ...(options.range && { range: options.range }),
        ...(options.layout && { layout: options.layout }),
      },
      signal,
    );
    const dataNotes = [...adapted.notes];
    let model = wide.model;
    let deployed: Model = wide.notes.length > 0 ? wide.model : file;
    let name = input.name;
    if (wide.notes.length > 0)
      notes.push(
        `${wide.notes.map((n) => `${n.role} ${n.name} is ${n.was}`).join('; ')}: run and verified in float32`,
      );
    if (options.mean || options.std) {
      const mean = options.mean ?? [0];
      const std = options.std ?? [1];
      model = normaliseInput(model, name, adapted.shape, mean, std);
      deployed = normaliseInput(deployed, name, adapted.shape, mean, std);
      name = PIXELS;
      notes.push(
        `the input is normalised with mean ${mean.join(', ')} and std ${std.join(', ')} in front of the model: eps and range are in units before that`,
      );
    }
    const opened = await openSubject(engine, {
      model,
      deployed,
      input: name,
      sampleDims: adapted.shape,
      fixed,
      output: options.output,
      batch: options.batch,
      first: await adapted.read(0, Math.min(FIRST, adapted.n), signal),
      signal,
    });
    const { subject, batch, randomised } = opened;
    const { labels, width } = await labelsOf(adapted, dataset.n, options.labels, signal);
    const task = taskFor({
      classes: subject.classes,
      labels,
      width,
      task: options.task,
      tolerance: options.tolerance,
    });
    const { activation: stripped } = subject;
    notes.push(
      ...opened.notes,
      stripped
        ? `the final ${stripped} was left out for the attack: it works on the logits behind it; answers are verified on the whole file`
        : task === 'regression'
          ? 'outputs were read as predictions'
          : 'no softmax or sigmoid at the end: outputs were read as logits',
    );
    if (task === 'binary' && !stripped && opened.unit)
      notes.push(
        'all first outputs lie between 0 and 1: if they are probabilities, the threshold of 0 for logits is wrong for them; export the model with its sigmoid as an operator',
      );
    const { bounds } = adapted;
    return {
      file,
      dataset,
      adapted,
      subject,
      randomised,
      task,
      labels,
      width,
      batch,
      bounds: bounds
        ? [Math.min(...bounds.low), Math.max(...bounds.high)]
        : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      modelNotes: notes,
      dataNotes,
      async close() {
        await subject.target?.close();
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

function chooseInput(
  model: Model,
  wanted: string | undefined,
  fixed: FixedInputs,
): { readonly name: string; readonly dims: readonly (number | string | null)[] | undefined } {
  const free = model.graph.inputs.filter(({ name }) => !Object.hasOwn(fixed, name));
  const names = model.graph.inputs.map((i) => i.name).join(', ');
  const chosen: ValueInfo | undefined =
    wanted === undefined ? (free.length === 1 ? free[0] : undefined) : free.find((i) => i.name === wanted);
  if (!chosen)
    throw new GlacisError(
      'option/invalid',
      wanted === undefined
        ? `model: expected one input to attack, got ${free.length === 0 ? 'none' : names}; choose it with --input and fix the others with --fix NAME=FILE.npy`
        : `--input: expected one of ${names}, got '${wanted}'`,
    );
  const others = free.filter((i) => i !== chosen).map((i) => i.name);
  if (others.length > 0)
    throw new GlacisError(
      'option/invalid',
      `model: expected values for the inputs that are not attacked (${others.join(', ')}), got none; give them with --fix NAME=FILE.npy`,
    );
  if (chosen.type.kind !== 'tensor' || chosen.type.dtype !== 'float32')
    throw new GlacisError(
      'model/unsupported-task',
      `input ${chosen.name}: expected float32, got ${chosen.type.kind === 'tensor' ? chosen.type.dtype : chosen.type.description}; integer inputs (token ids, raw bytes) have no gradient, attack an embedding or a float input instead`,
    );
  return { name: chosen.name, dims: chosen.type.dims };
}

async function fixedInputs(
  model: Model,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<FixedInputs> {
  const fixed: Record<string, Tensor> = {};
  for (const [name, path] of Object.entries(files)) {
    const info = model.graph.inputs.find((i) => i.name === name);
    if (info?.type.kind !== 'tensor')
      throw new GlacisError(
        'option/invalid',
        `--fix: expected one of ${model.graph.inputs.map((i) => i.name).join(', ')}, got '${name}'`,
      );
    const array = await openDataset(path, signal ? { signal } : {});
    const values = await array.read(0, array.n, signal);
    await array.close();
    // A plain vector [n] is stored as n samples of one number.
    const flat = array.sampleShape.length === 1 && array.sampleShape[0] === 1;
    const rank = info.type.dims?.length;
    const dims = flat && rank === 1 ? [array.n] : [array.n, ...array.sampleShape];
    fixed[name] = tensorFrom(info.type.dtype, dims, Float64Array.from(values as ArrayLike<number>, Number));
  }
  return fixed;
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
  const stored = await openDataset(path, signal ? { signal } : {});
  try {
    const width = stored.sampleShape.reduce((product, d) => product * d, 1);
    if (stored.n !== total)
      throw new GlacisError(
        'data/mismatch',
        `${path}: expected ${total} labels, one for each sample, got ${stored.n}`,
      );
    const values = await stored.read(0, stored.n, signal);
    const real = /^float/.test(stored.dtype);
    const labels = new (real ? Float32Array : Int32Array)(adapted.n * width);
    for (const [i, index] of adapted.indices.entries())
      for (let j = 0; j < width; j++) labels[i * width + j] = Number(values[index * width + j]);
    const bad = labels.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new GlacisError(
        'data/not-finite',
        `${path}: the label of sample ${Math.floor(bad / width)} is not a finite number`,
      );
    return { labels, width };
  } finally {
    await stored.close();
  }
}

import { performance } from 'node:perf_hooks';
import { randomFrom } from '../../core/random.ts';
import type { ModelMetadata, TensorMetadata } from '../../oip/metadata.ts';
import type { Tensor } from '../../oip/tensor.ts';
import { inlineFunctions } from '../../onnx/functions.ts';
import { mapTensors } from '../../onnx/map-model.ts';
import type { Model } from '../../onnx/model.ts';
import type { Tensor as OnnxTensor } from '../../onnx/tensor.ts';
import { allNodes } from '../../onnx/walk.ts';
import type { Engine, Session } from '../../runtime/engine.ts';
import { withFeatures } from '../../transform/features.ts';
import { float32Inside } from '../../transform/float32-inside.ts';
import { Refused } from '../refusal.ts';
import { backOnLanes } from './back-on-lanes.ts';
import type { BackendModel } from './backend-model.ts';
import { type Batching, openBatcher } from './batcher.ts';
import type { EmbeddedRuntime } from './embedded-runtime.ts';
import { type ClassifierChoice, findClassifier, scoreOutput } from './find-classifier.ts';
import type { Reservation } from './memory-bound.ts';
import { namesInModel } from './model-class-names.ts';
import { type Port, type Ports, portsOf } from './ports.ts';
import { type Probed, probe, type RunOnce } from './probe.ts';
import { checkTexts, hosted, unhosted } from './rows.ts';

/** How requests of a model are put together. See docs/serving-models.md. */
export interface BatchingOptions {
  /** Most rows in one run. */
  readonly most: number;
  /** Microseconds that a request waits for others while a thread is free. */
  readonly wait: number;
  /** Milliseconds that a run should take at most, where fewer rows make it shorter. */
  readonly longest: number;
  /** Milliseconds after which nobody waits for a run any more. */
  readonly timeout: number;
  /** Most samples that may wait. */
  readonly queue: number;
  /** Whether rows of several callers run together: where trials show that they do not influence each other, or never. */
  readonly share: 'auto' | 'never';
}

/** What {@link openEmbedded} is told. */
export interface EmbeddedOptions {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly batching: BatchingOptions;
  readonly classifier: ClassifierChoice;
  /** Whether some guard wants the features of the last layer. */
  readonly features: boolean;
  /** Most elements of a sample in one input, where the file leaves sizes open. */
  readonly mostElements: number;
  /** The same network, admitted once more, for a thread that took the place of a lost one. Errors: why not; then the model does without that thread. */
  readonly again: () => Promise<Model>;
}

/** Weights held once for each thread together take at most this; larger models are held once, and all threads work on one run. */
const MOST_COPIED = 256 * 2 ** 20;

/** A model as the runtime gets it, and what is known of it without running it. */
interface Written {
  readonly model: Model;
  readonly about: {
    readonly ports: Ports;
    readonly features: { readonly output: string; readonly length: number } | undefined;
    /** Bytes of weights. */
    readonly weights: number;
    /** Whether scales are found over all rows together, which a trial on three of them may not show. */
    readonly mixes: boolean;
    /** What the file says about itself. */
    readonly said: ReadonlyMap<string, string>;
  };
}

/**
 * Opens a model in the runtime: written anew from what was read of it, with 16-bit floats computed in float32 and, where wanted, its features as one more output;
 * tried on random inputs, which also warms it up. Its external data must have been loaded.
 * Errors: `model/too-large` where the memory does not suffice, `model/unsupported-task`, `model/unsupported-operator`, `run/failed`.
 */
export async function openEmbedded(
  source: Model,
  runtime: EmbeddedRuntime,
  options: EmbeddedOptions,
): Promise<BackendModel> {
  const { model, about } = written(source, options);
  const { engine, pool, memory } = runtime;
  const copies = Math.max(1, Math.min(pool.count, Math.floor(MOST_COPIED / Math.max(1, about.weights))));
  // One more while it is handed over.
  const held = memory.reserve(about.weights * (copies + 1), `${options.name} ${options.version}`);
  const sessions: (Session | undefined)[] = [];
  const threads = Math.max(1, Math.floor(pool.count / copies));
  const reopened = reopening(engine, options, threads);
  try {
    for (let lane = 0; lane < copies; lane++) sessions.push(await engine.open(model, { lane, threads }));
    held.shrink(about.weights * copies);
    return await served({ sessions, reopened }, held, about, runtime, options);
  } catch (thrown) {
    await Promise.allSettled(sessions.map((session) => session?.close()));
    held.release();
    throw thrown;
  }
}

function written(source: Model, options: EmbeddedOptions): Written {
  const stated = portsOf(source);
  const { model: narrow, widened } = float32Inside(source);
  const names = new Set(widened.map((note) => note.name));
  const marked = (ports: readonly Port[]) =>
    ports.map((port) => (names.has(port.name) ? { ...port, widened: true } : port));
  const ports: Ports = { ...stated, inputs: marked(stated.inputs), outputs: marked(stated.outputs) };
  const scores = scoreOutput(ports.outputs, options.classifier.output);
  const made = options.features && scores ? withFeatures(inlineFunctions(narrow), scores.name) : undefined;
  const model = made?.model ?? narrow;
  const mixes = [...allNodes(model.graph.nodes)].some(({ op }) => op.startsWith('DynamicQuantize'));
  const features = made && { output: made.output, length: made.length };
  const said = source.metadata;
  return { model, about: { ports, features, weights: weightBytes(model), mixes, said } };
}

/** Opens the model on a fresh thread, from a file that is read and admitted once more. */
function reopening(engine: Engine, options: EmbeddedOptions, threads: number) {
  return async (lane: number): Promise<Session> =>
    engine.open(written(await options.again(), options).model, { lane, threads });
}

/** What answers, from open sessions. Nothing of the model's own bytes may get in here: it would stay as long as the sessions do. */
async function served(
  {
    sessions,
    reopened,
  }: { readonly sessions: (Session | undefined)[]; readonly reopened: (lane: number) => Promise<Session> },
  held: Reservation,
  { ports, features, mixes, said, weights }: Written['about'],
  runtime: EmbeddedRuntime,
  options: EmbeddedOptions,
): Promise<BackendModel> {
  const { name, version, digest, batching, mostElements } = options;
  const fetches = [...ports.outputs.map((port) => port.name), ...(features ? [features.output] : [])];
  let featureLength: number | undefined;
  const tryOn =
    (session: Session): RunOnce =>
    async (inputs) => {
      const feeds = Object.fromEntries(ports.inputs.map((port, i) => [port.name, hosted(inputs[i]!)]));
      const results = await session.run(feeds, { fetches });
      featureLength ??= features && results[features.output]!.data.length;
      return ports.outputs.map((port) => unhosted(port, results[port.name]!));
    };
  const tried = await probe(ports, tryOn(sessions[0]!), randomFrom(0, 'warm-up', digest));
  // The other threads allocate now what they will need.
  for (const session of sessions.slice(1))
    await probe(ports, tryOn(session!), randomFrom(0, 'warm-up', digest));
  const form = formOf(ports, tried, mixes, batching);
  const given = tried.rowed && featureLength === (features?.length ?? 0) * tried.rows ? features : undefined;
  const found = findClassifier(ports.inputs, ports.outputs, tried, options.classifier);
  const names = found && namesInModel(said, found.classes);
  // By a call and not here: a function in this scope that names `tried` would keep what was answered, too.
  const metadata = metadataOf(options, ports, form.open, tried);
  const lanes = sessions.map((_, lane) => lane);
  const setting: Batching = {
    onStuck: (lane, by) =>
      runtime.threads.lose(lane, { model: name, version, digest, timeout: batching.timeout, by }),
    ports: { ...ports, rows: form.rows },
    features: given,
    most: batching.most,
    shared: form.shared,
    wait: batching.wait / 1000,
    longest: batching.longest,
    timeout: batching.timeout,
    queue: batching.queue,
    background: false,
    lanes,
    pool: runtime.pool,
    clock: () => performance.now(),
    run: (lane, feeds, wanted) =>
      sessions[lane]!.run(feeds, { fetches: wanted }).catch((thrown: unknown) => {
        const { message } = thrown as Error;
        if (!/^the (?:runtime's thread|engine) /.test(message)) throw thrown;
        runtime.broken = message;
        throw new Refused('unavailable', message, { cause: thrown });
      }),
  };
  const batcher = openBatcher(setting);
  const aside = openBatcher({ ...setting, background: true, queue: batching.most });
  const leave = backOnLanes({ sessions, lanes }, runtime, {
    what: `${name} ${version}`,
    weights,
    reopened,
    back() {
      batcher.wake();
      aside.wake();
    },
  });
  const unbounded = form.rows === undefined || ports.inputs.some(({ shape }) => shape.slice(1).includes(-1));
  return {
    name,
    version,
    digest,
    metadata,
    classifier: found && { ...found, ...(names && { names }), ...(given && { features: given.length }) },
    notes: form.notes,
    async run(inputs, how) {
      checkTexts(inputs);
      if (unbounded) checkSizes(inputs, how.n, mostElements);
      return batcher.run(inputs, how);
    },
    runAside: (inputs, how) => aside.run(inputs, how),
    load: () => ({ open: batcher.open, waiting: batcher.waiting }),
    async close() {
      await Promise.all([batcher.close(), aside.close()]);
      leave();
      // Nobody waits for a thread that is lost.
      const { isStuck } = runtime.pool;
      await Promise.all(sessions.map((session, lane) => (isStuck(lane) ? undefined : session?.close())));
      held.release();
    },
  };
}

/** What a sample takes to compute grows with its size, and nobody has bounded that. Errors: `Refused` `too-large`. */
function checkSizes(inputs: readonly Tensor[], n: number, most: number): void {
  for (const { name, data } of inputs)
    if (data.length / n > most)
      throw new Refused(
        'too-large',
        `input ${name}: expected at most ${most} elements a sample, got ${data.length / n}`,
      );
}

/** How requests become runs, after the trial. */
function formOf(ports: Ports, tried: Probed, mixes: boolean, { share }: BatchingOptions) {
  const notes: string[] = [];
  if (tried.because !== undefined) notes.push(`it could not be tried: ${tried.because}`);
  const separate = tried.separate && !mixes;
  if (ports.rows !== undefined && !separate)
    notes.push('requests run one by one: samples in one run influence each other, or nobody knows');
  return {
    notes,
    rows: separate ? ports.rows : undefined,
    shared: separate && share === 'auto',
    /** Whether a request may have any number of samples. */
    open: separate || (ports.rows === 'any' && (tried.rowed || tried.outputs === undefined)),
  };
}

function metadataOf(
  { name, version }: EmbeddedOptions,
  ports: Ports,
  open: boolean,
  tried: Probed,
): ModelMetadata {
  return {
    name,
    versions: [version],
    platform: 'onnxruntime_onnx',
    inputs: ports.inputs.map((port) => described(port, open, undefined)),
    outputs: ports.outputs.map((port) => described(port, open, seenDims(ports, tried, port))),
  };
}

/** Sizes of an output behind the first axis, where they follow from nothing that a caller says. */
function seenDims(
  { inputs }: Ports,
  { outputs, rowed }: Probed,
  { name }: Port,
): readonly number[] | undefined {
  const fixed = inputs.every(({ shape }) => !shape.slice(1).includes(-1));
  return fixed && rowed ? outputs?.get(name)?.shape : undefined;
}

function described(
  { name, datatype, shape }: Port,
  open: boolean,
  seen: readonly number[] | undefined,
): TensorMetadata {
  const known = seen ?? shape;
  return { name, datatype, shape: open && known.length > 0 ? [-1, ...known.slice(1)] : known };
}

/** Bytes of all tensors, each once. */
function weightBytes(model: Model): number {
  const seen = new Set<OnnxTensor>();
  let bytes = 0;
  mapTensors(model, (tensor) => {
    if (!seen.has(tensor)) bytes += tensor.data.byteLength;
    seen.add(tensor);
    return tensor;
  });
  return bytes;
}

import { GlacisError } from '../core/error.ts';
import type { Value } from '../onnx/graph-builder.ts';
import type { Dim, Model } from '../onnx/model.ts';
import { elementCount } from '../onnx/tensor.ts';
import { type FoundLogits, findLogits } from '../transform/logits.ts';
import { type Obstacles, obstaclesIn } from '../transform/obstacles.ts';
import type { Ops } from '../transform/ops.ts';
import { specialise } from '../transform/specialise.ts';
import { costOf, type RunCost } from './cost.ts';
import type { Engine, Session } from './engine.ts';
import { bindFixed, type FixedInputs } from './fixed-input.ts';
import { blockSizeOf, inLayout } from './layout.ts';
import { isShardable, openOnLanes, openSharded, shardsFor } from './sharded.ts';

/** How often a target was asked, in samples. */
export interface QueryCount {
  /** Samples of which outputs were computed (with or without a gradient). */
  forward: number;
  /** Samples of which a gradient was computed. */
  gradient: number;
}

/** A model's trace at one batch size, for a transform to go on from. */
export interface TargetGraph {
  readonly b: Ops;
  /** The attacked input, `[B, …]`. */
  readonly x: Value;
  /** `[B, K]`; a single output per sample has K = 1. */
  readonly logits: Value;
  /** Every named value of the model's main graph, by its name in the file. */
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * A model of which everything is visible. `compile` writes a graph that starts from the model and runs at native speed; what it
 * computes (gradients, whole attack steps) is up to the caller.
 */
export interface WhiteBoxTarget {
  /** Name of the attacked input. */
  readonly input: string;
  /** Shape of one sample of it. */
  readonly sampleDims: readonly number[];
  /** Outputs per sample. */
  readonly classes: number;
  readonly found: Pick<FoundLogits, 'stripped' | 'output'>;
  readonly queries: QueryCount;
  /** What one forward pass takes, per sample. */
  readonly cost: RunCost;
  /** What stands in a gradient's way. */
  readonly obstacles: Obstacles;
  /** The only batch size that the graph runs at, where the file fixes it. */
  readonly fixedBatch: number | undefined;
  /**
   * The session of `build` at this batch size, made once per `key`. Feeds are the attacked input and what `build` declares.
   * Small graphs are run by every thread on a share of the batch (see `sharded.ts`), so that `build` must take the number
   * of rows from `graph.x`, and every input and output must have them as its first axis.
   * Errors: those of {@link specialise}, of `build` and of {@link Engine.open}; what failed may be asked for again.
   */
  compile(
    key: string,
    batch: number,
    build: (graph: TargetGraph) => Readonly<Record<string, Value>>,
  ): Promise<Session>;
  /**
   * Of a small graph: threads that run batches of their own, beside each other. Cheaper than splitting each batch where there are several
   * to run. `undefined` where the graph is too large to be held once for each thread.
   */
  readonly lanes?: Lanes | undefined;
  close(): Promise<void>;
}

/** Threads that each run whole batches. */
export interface Lanes {
  readonly count: number;
  /**
   * The session of `build` at this batch size on every lane, made once per `key`; a single one, with all threads, where `build` makes the
   * graph too large after all. Otherwise as {@link WhiteBoxTarget.compile}.
   */
  compile(
    key: string,
    batch: number,
    build: (graph: TargetGraph) => Readonly<Record<string, Value>>,
  ): Promise<readonly Session[]>;
}

/** What the user says about a model's interface. */
export interface TargetOptions {
  /** Attacked input; needed when there are several. */
  readonly input?: string;
  /** Attacked output; needed when there are several. */
  readonly output?: string;
  /** Shape of one sample, where the file leaves dimensions open. */
  readonly sampleDims?: readonly number[];
  /** Values of the inputs that are not attacked, one batch row each, by name. */
  readonly fixed?: FixedInputs;
  /**
   * Writes a model that was made for one sample for many: shapes that bake the batch in grow with it. Shapes alone do not
   * always say how, so compare the answers with the file's.
   */
  readonly lift?: boolean;
  /** Sizes of symbolic dimensions. */
  readonly symbols?: Readonly<Record<string, number>>;
}

/** Opens a model for white-box use. Errors: those of {@link specialise} and {@link findLogits}; `model/unsupported-task`. */
export function openTarget(engine: Engine, model: Model, options: TargetOptions = {}): WhiteBoxTarget {
  const attacked = attackedInput(model, options);
  const probe = traceAt(model, attacked, 2, options);
  const { logits, stripped, output } = findLogits(probe, options.output);
  if (logits.dims.length > 2 && logits.dims.slice(2).some((d) => d !== 1)) {
    throw new GlacisError(
      'model/unsupported-task',
      `output ${output}: expected [batch, classes], got [${logits.dims.join(', ')}]; detection, segmentation and text models need a task of their own, which Glacis does not have yet`,
    );
  }
  const x = probe.inputs.get(attacked.name)!;
  const rows = x.dims[0] ?? 1;
  if (logits.dims[0] !== rows)
    throw new GlacisError(
      'model/dynamic-shape',
      `output ${output}: expected a row for each of ${rows} samples, got [${logits.dims.join(', ')}]; the file seems to bake in another batch size`,
    );
  const whole = costOf(probe.b.builder.nodes);
  const sessions = new Map<string, Promise<Session>>();
  const onLanes = new Map<string, Promise<readonly Session[]>>();
  let block: Promise<number> | undefined;
  type Build = (graph: TargetGraph) => Readonly<Record<string, Value>>;
  const write = async (batch: number, build: Build) => {
    const trace = traceAt(model, attacked, batch, options);
    const found = findLogits(trace, output).logits;
    const z =
      found.dims.length === 2 ? found : trace.b.reshape(found, [batch, elementCount(found.dims.slice(1))]);
    const outputs = build({
      b: trace.b,
      x: trace.inputs.get(attacked.name)!,
      logits: z,
      values: trace.values,
    });
    block ??= blockSizeOf(engine);
    return inLayout(trace.b.builder, outputs, await block);
  };
  const open = async (batch: number, build: Build) => {
    const free = fixedBatchOf(attacked, options) === undefined && isShardable(model);
    const shards = free ? shardsFor(engine, batch) : 1;
    if (shards > 1) {
      const rows = Math.ceil(batch / shards);
      const part = await write(rows, build);
      if (isShardable(part)) return openSharded(engine, part, rows, batch);
    }
    return engine.open(await write(batch, build));
  };
  const laneCount = engine.device === 'cpu' && isShardable(model) ? engine.threads : 0;
  const openLanes = async (batch: number, build: Build) => {
    const graph = await write(batch, build);
    return isShardable(graph) ? openOnLanes(engine, graph, laneCount) : [await engine.open(graph)];
  };
  return {
    input: attacked.name,
    sampleDims: x.dims.slice(1),
    classes: logits.dims.length === 1 ? 1 : logits.dims[1]!,
    found: { stripped, output },
    queries: { forward: 0, gradient: 0 },
    cost: { flops: whole.flops / rows, activations: whole.activations / rows },
    obstacles: obstaclesIn(probe.b.builder.nodes, x, logits),
    fixedBatch: fixedBatchOf(attacked, options),
    compile: (key, batch, build) => once(sessions, `${key}@${batch}`, () => open(batch, build)),
    lanes:
      laneCount === 0
        ? undefined
        : {
            count: laneCount,
            compile: (key, batch, build) => once(onLanes, `${key}@${batch}`, () => openLanes(batch, build)),
          },
    async close() {
      const opened = await Promise.allSettled([...sessions.values(), ...onLanes.values()]);
      sessions.clear();
      onLanes.clear();
      for (const result of opened)
        if (result.status === 'fulfilled') for (const session of [result.value].flat()) await session.close();
    },
  };
}

/** What `open` gives, once for each key; what failed may be tried again. */
function once<T>(known: Map<string, Promise<T>>, key: string, open: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before) return before;
  const opened = open();
  known.set(key, opened);
  // The caller has the error.
  opened.catch(() => known.delete(key));
  return opened;
}

interface AttackedInput {
  readonly name: string;
  readonly dims: readonly Dim[];
}

function attackedInput(model: Model, options: TargetOptions): AttackedInput {
  const candidates = model.graph.inputs.filter(
    ({ name, type }) =>
      !Object.hasOwn(options.fixed ?? {}, name) &&
      (options.input === undefined || options.input === name) &&
      type.kind === 'tensor',
  );
  const chosen = candidates.length === 1 ? candidates[0]! : undefined;
  if (!chosen) {
    const names = model.graph.inputs.map((i) => i.name).join(', ');
    if (candidates.length === 0 && options.input === undefined)
      throw new GlacisError(
        'model/unsupported-task',
        `model: expected a tensor input that is not fixed, got ${names || 'no inputs'}`,
      );
    if (options.input !== undefined)
      throw new GlacisError('option/invalid', `--input: expected one of ${names}, got '${options.input}'`);
    throw new GlacisError(
      'option/invalid',
      `model: several inputs (${names}); choose the attacked one with --input and fix the others with --fix NAME=FILE`,
    );
  }
  const { type, name } = chosen;
  if (type.kind !== 'tensor' || type.dtype !== 'float32') {
    const got = type.kind === 'tensor' ? type.dtype : type.description;
    throw new GlacisError(
      'model/unsupported-task',
      `input ${name}: expected float32, got ${got}; integer inputs (token ids, raw bytes) have no gradient, attack an embedding or a float input instead`,
    );
  }
  if (!type.dims)
    throw new GlacisError('model/dynamic-shape', `input ${name}: expected a shape in the file, found none`);
  if (type.dims.length === 0)
    throw new GlacisError(
      'model/unsupported-task',
      `input ${name}: expected [batch, …], got a single number`,
    );
  return { name, dims: type.dims };
}

/** The batch size that the file fixes and lifting does not open. */
function fixedBatchOf({ dims }: AttackedInput, { lift }: TargetOptions): number | undefined {
  const first = dims[0];
  return typeof first === 'number' && !(lift && first === 1) ? first : undefined;
}

function traceAt(model: Model, attacked: AttackedInput, batch: number, options: TargetOptions) {
  const sample = options.sampleDims;
  const rows = fixedBatchOf(attacked, options) ?? batch;
  const inputDims = sample ? { [attacked.name]: [rows, ...sample] } : {};
  return specialise(bindFixed(model, options.fixed ?? {}, rows), {
    batch: rows,
    inputDims,
    ...(options.lift ? { liftFrom: 1 as const } : {}),
    ...(options.symbols ? { symbols: options.symbols } : {}),
  });
}

import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import type { HostData, HostTensor } from './array.ts';
import type { RunCost } from './cost.ts';
import type { Engine, Session } from './engine.ts';

/** Graphs with more constants than this are not held once for each thread. */
const MOST_CONSTANT_BYTES = 32 * 2 ** 20;

/** How many threads could share a batch of `batch` rows, each running whole samples on its own. */
export function shardsFor(engine: Engine, batch: number): number {
  return engine.device === 'cpu' && batch >= 2 * engine.threads ? engine.threads : 1;
}

/** Whether a graph is small enough to be held once for each thread. */
export function isShardable(model: Model): boolean {
  let bytes = 0;
  for (const tensor of model.graph.initializers.values()) bytes += tensor.data.byteLength;
  return bytes <= MOST_CONSTANT_BYTES;
}

/** Bytes of intermediate values of one forward pass that a thread's own cache bears. */
const CACHED_BYTES = 8 * 2 ** 20;
/** Below so many operations for each element, a network waits for memory more than for arithmetic. */
const MEMORY_BOUND = 100;
/** Operations of a forward pass that are worth a node's fixed cost. */
const WORTH_A_NODE = 1e6;

/**
 * How many rows a thread should run at a time, of the `rows` that are its share of a batch. A network that moves much memory for its
 * arithmetic is quicker in pieces that stay in the cache, as long as a piece is worth the fixed cost of its nodes (measured, input
 * gradient, CPU a row: `mnist-cnn` 151 µs in pieces of 250, 140 of 125, 115 of 32; `mnist-vit` 464 of 125, 378 of 32;
 * `cifar10-resnet14`, which is bound by arithmetic, 1420 of 100, 1550 of 25).
 *
 * @param cost of one row's forward pass
 * @param nodes in the forward pass
 */
export function rowsInPiece(rows: number, { flops, activations }: RunCost, nodes: number): number {
  if (flops >= MEMORY_BOUND * activations) return rows;
  const cached = CACHED_BYTES / (4 * Math.max(1, activations));
  const worthwhile = (nodes * WORTH_A_NODE) / Math.max(1, flops);
  const pieces = Math.floor(rows / Math.max(1, cached, worthwhile));
  return Math.ceil(rows / Math.max(1, pieces));
}

/**
 * A batch of `batch` samples run in pieces of `rows` by sessions of one thread each, beside each other. In small networks most
 * operators are too short to be worth splitting between threads; whole samples always are. Every input and output has the batch as
 * its first axis. The last piece is filled up by repeating its last row.
 */
export function sharded(sessions: readonly Session[], rows: number, batch: number): Session {
  const { inputs, outputs } = sessions[0]!;
  const pieces = Array.from({ length: Math.ceil(batch / rows) }, (_, piece) => piece);
  return {
    inputs,
    outputs,
    async run(feeds, options = {}) {
      for (const [name, { dims }] of Object.entries(feeds)) {
        if (dims[0] !== batch) {
          throw new GlacisError('data/mismatch', `run: expected ${batch} rows of '${name}', got ${dims[0]}`);
        }
      }
      const fetches = options.fetches ? { fetches: options.fetches } : {};
      const parts = await Promise.all(
        pieces.map((piece) => {
          const part = Object.entries(feeds).map(([name, t]) => [name, rowsOf(t, piece * rows, rows)]);
          return sessions[piece % sessions.length]!.run(Object.fromEntries(part), {
            ...fetches,
            transfer: true,
          });
        }),
      );
      return Object.fromEntries(
        Object.keys(parts[0]!).map((name) => [
          name,
          joined(
            parts.map((part) => part[name]!),
            batch,
          ),
        ]),
      );
    },
    async close() {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

/** Opens a graph once on each of the first `count` worker threads, one thread each; on all of them or, after an error, on none. */
export async function openOnLanes(engine: Engine, model: Model, count: number): Promise<readonly Session[]> {
  const lanes = Array.from({ length: count }, (_, lane) => engine.open(model, { lane, threads: 1 }));
  const opened = await Promise.allSettled(lanes);
  const failed = opened.find((result) => result.status === 'rejected');
  const sessions = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed) {
    await Promise.all(sessions.map((session) => session.close()));
    throw failed.reason;
  }
  return sessions;
}

/** Rows `[start, start + rows)` as a tensor of their own; past the end, the last row again. */
function rowsOf({ dtype, dims, data }: HostTensor, start: number, rows: number): HostTensor {
  const width = data.length / dims[0]!;
  const part = data.slice(start * width, (start + rows) * width) as HostData;
  if (part.length === rows * width) return { dtype, dims: [rows, ...dims.slice(1)], data: part };
  const make = data.constructor as new (length: number) => HostData;
  const full = new make(rows * width);
  full.set(part as never);
  const last = part.slice(part.length - width) as HostData;
  for (let at = part.length; at < full.length; at += width) full.set(last as never, at);
  return { dtype, dims: [rows, ...dims.slice(1)], data: full };
}

/** The pieces' rows one after another, without what filled the last one up. */
function joined(parts: readonly HostTensor[], batch: number): HostTensor {
  const { dtype, dims, data } = parts[0]!;
  const width = data.length / dims[0]!;
  const make = data.constructor as new (length: number) => HostData;
  const full = new make(batch * width);
  let at = 0;
  for (const part of parts) {
    const fitting = Math.min(part.data.length, full.length - at);
    full.set(part.data.subarray(0, fitting) as never, at);
    at += fitting;
  }
  return { dtype, dims: [batch, ...dims.slice(1)], data: full };
}

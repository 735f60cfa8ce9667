import { GlacisError } from '../core/error.ts';
import type { Model } from '../onnx/model.ts';
import type { HostData, HostTensor } from './array.ts';
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

/**
 * Opens a graph that was written for `rows` samples `shards` times, one thread each, and runs a batch of up to `shards × rows`
 * in parallel. In small networks most operators are too short to be worth splitting between threads; whole samples
 * always are. Every input and output has the batch as its first axis. The last shard is filled up by repeating its
 * last row.
 */
export async function openSharded(
  engine: Engine,
  model: Model,
  rows: number,
  batch: number,
): Promise<Session> {
  const sessions = await openOnLanes(engine, model, Math.ceil(batch / rows));
  const { inputs, outputs } = sessions[0]!;
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
        sessions.map((session, shard) => {
          const part = Object.entries(feeds).map(([name, t]) => [name, rowsOf(t, shard * rows, rows)]);
          return session.run(Object.fromEntries(part), { ...fetches, transfer: true });
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

/** The shards' rows one after another, without what filled the last one up. */
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

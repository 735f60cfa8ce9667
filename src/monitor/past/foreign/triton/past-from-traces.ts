import { openBatchWriter, type PastBatch } from '../../batch.ts';
import { bytesOf } from '../../bytes-of.ts';
import type { Past } from '../../open-past.ts';
import { asMismatch } from '../mismatch.ts';
import { openTraceObjects, type TraceObject } from './trace-objects.ts';
import { openTraces, type TracedCall } from './traces.ts';

/** How traces are read. */
export interface TraceSetting {
  /** Whom traces are about that name no model. */
  readonly model?: string | undefined;
  /** When the machine was started, in milliseconds since 1970: traces count from then. 1970 unless given. */
  readonly booted?: number | undefined;
}

/**
 * Past calls from Triton's trace files, one after another. A file may end anywhere; what does not fit is an error that names its object. Memory: one object, at most 64 MiB, and some traces, however long the files are. Errors: `data/unreadable`, `data/mismatch`.
 */
export function pastFromTraces(paths: readonly string[], { model, booted = 0 }: TraceSetting): Past {
  return { batches: (signal) => traceBatches(paths, model, booted, signal) };
}

async function* traceBatches(
  paths: readonly string[],
  model: string | undefined,
  booted: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBatch> {
  const writer = openBatchWriter();
  const traces = openTraces(model, booted);
  function* written(calls: readonly TracedCall[]): Generator<PastBatch> {
    for (const call of calls) {
      if (!writer.hasRoom()) yield writer.take();
      if (call === undefined) writer.skip();
      else writer.add(call);
    }
  }
  for (const path of paths) {
    const objects = openTraceObjects();
    let number = 0;
    const next = (): TraceObject | undefined =>
      asMismatch(`${path}: behind object ${number}: `, () => objects.next());
    for await (const block of bytesOf(path, signal)) {
      objects.push(block);
      for (let object = next(); object !== undefined; object = next()) {
        const read = object;
        number++;
        yield* written(asMismatch(`${path}: object ${number}: `, () => traces.read(read)));
      }
    }
    if (objects.end() === 'cut') writer.skip();
    yield* written(asMismatch(`${path}: `, () => traces.end(objects.end())));
  }
  if (!writer.isEmpty()) yield writer.take();
}

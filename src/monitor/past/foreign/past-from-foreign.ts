import { GlacisError } from '../../../core/error.ts';
import type { Sighting } from '../../sighting.ts';
import { openBatchWriter, type PastBatch } from '../batch.ts';
import { linesOf } from '../lines-of.ts';
import type { Past } from '../open-past.ts';
import { openInferenceEvents } from './inference-events.ts';
import { mappedLine } from './mapped-line.ts';
import { KNOWN, type Mapping } from './mapping.ts';

/** Formats of other servers by name. */
export const FORMATS = ['kserve-cloudevents', ...(Object.keys(KNOWN) as (keyof typeof KNOWN)[])] as const;
/** One of {@link FORMATS}. */
export type ForeignFormat = (typeof FORMATS)[number];

/**
 * Past calls from another server's log (`.gz` is opened), by the name of a format or a mapping. Lines that are sound and about no inference are passed over and counted; anything else that does not fit is an error that names its line: a log that is
 * read in the wrong way must not look calm. Errors: `data/unreadable`, `data/too-large`, `data/mismatch`.
 */
export function pastFromForeign(path: string, format: ForeignFormat | Mapping, model?: string): Past {
  return { batches: (signal) => foreignBatches(path, format, model, signal) };
}

async function* foreignBatches(
  path: string,
  format: ForeignFormat | Mapping,
  model: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBatch> {
  const writer = openBatchWriter();
  const read = readerOf(format, model);
  let number = 0;
  for await (const lines of linesOf(path, signal))
    for (const each of lines) {
      number++;
      const line = each.endsWith('\r') ? each.slice(0, -1) : each;
      if (line === '') continue;
      if (!writer.hasRoom()) yield writer.take();
      const found = atLine(`${path}:${number}`, () => read(line, number));
      if (found !== undefined) writer.add(found);
      else writer.skip();
    }
  if (!writer.isEmpty()) yield writer.take();
}

function readerOf(
  format: ForeignFormat | Mapping,
  model: string | undefined,
): (line: string, number: number) => Sighting | undefined {
  if (typeof format !== 'string') return mappedLine(format, model);
  if (format !== 'kserve-cloudevents') return mappedLine(KNOWN[format], model);
  const events = openInferenceEvents(model);
  return (line) => events.read(line);
}

function atLine<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof GlacisError)
      throw new GlacisError(thrown.code, `${where}: ${thrown.message}`, { cause: thrown });
    throw thrown;
  }
}

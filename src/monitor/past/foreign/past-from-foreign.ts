import type { Sighting } from '../../sighting.ts';
import { openBatchWriter, type PastBatch } from '../batch.ts';
import { linesOf } from '../lines-of.ts';
import type { Past } from '../open-past.ts';
import { openInferenceEvents } from './inference-events.ts';
import { mappedLine } from './mapped-line.ts';
import { KNOWN, type Mapping } from './mapping.ts';
import { asMismatch } from './mismatch.ts';

/** Formats of other servers' logs by name, line by line. */
const LINE_FORMATS = ['kserve-cloudevents', ...(Object.keys(KNOWN) as (keyof typeof KNOWN)[])] as const;
/** Formats of other servers by name. */
export const FORMATS = [...LINE_FORMATS, 'triton-trace'] as const;
/** One of {@link FORMATS}. */
export type ForeignFormat = (typeof FORMATS)[number];
/** A format of lines: a name, or a mapping. */
export type LineFormat = (typeof LINE_FORMATS)[number] | Mapping;

/** Longest event, in bytes: one with tensors of eight million float32 in base64 has this. */
const MOST_EVENT = 2 ** 26;

/** How another server's log is read. */
export interface ForeignSetting {
  /** Whom lines are about that name no model. */
  readonly model?: string | undefined;
  /** Which attribute of events, or header kept in them, names who called; `authid` unless given. */
  readonly caller?: string | undefined;
}

/**
 * Past calls from another server's log (`.gz` is opened), by the name of a format or a mapping. Lines that are sound and about no inference are passed over and counted; anything else that does not fit is an error that names its line: a log that is
 * read in the wrong way must not look calm. Errors: `data/unreadable`, `data/too-large`, `data/mismatch`.
 */
export function pastFromForeign(path: string, format: LineFormat, setting: ForeignSetting = {}): Past {
  return { batches: (signal) => foreignBatches(path, format, setting, signal) };
}

async function* foreignBatches(
  path: string,
  format: LineFormat,
  setting: ForeignSetting,
  signal: AbortSignal | undefined,
): AsyncGenerator<PastBatch> {
  const writer = openBatchWriter();
  const read = readerOf(format, setting);
  let number = 0;
  for await (const lines of linesOf(path, signal, format === 'kserve-cloudevents' ? MOST_EVENT : undefined))
    for (const each of lines) {
      number++;
      const line = each.endsWith('\r') ? each.slice(0, -1) : each;
      if (line === '') continue;
      if (!writer.hasRoom()) yield writer.take();
      const found = asMismatch(`${path}:${number}: `, () => read(line, number));
      if (found !== undefined) writer.add(found);
      else writer.skip();
    }
  if (!writer.isEmpty()) yield writer.take();
}

function readerOf(
  format: LineFormat,
  { model, caller }: ForeignSetting,
): (line: string, number: number) => Sighting | undefined {
  if (typeof format !== 'string') return mappedLine(format, model);
  if (format !== 'kserve-cloudevents') return mappedLine(KNOWN[format], model);
  const events = openInferenceEvents(model, caller);
  return (line) => events.read(line);
}

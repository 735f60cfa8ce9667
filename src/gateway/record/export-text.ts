import type { Who } from './read-entry.ts';
import { readEntry } from './read-entry.ts';

/** How entries are exported. */
export type ExportFormat = 'jsonl' | 'csv';

const COLUMNS = [
  'index',
  'time',
  'kind',
  'id',
  'principal',
  'tenant',
  'credential',
  'address',
  'subject',
  'model',
  'version',
  'digest',
  'n',
  'outcome',
  'because',
  'detail',
  'guards',
  'bucket',
  'event',
  'by',
  'about',
  'input',
  'output',
] as const;

/** The first line of an export, where the format has one. */
export function exportHead(format: ExportFormat): string {
  return format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '';
}

/**
 * A line of an export. What callers chose is in it, so nothing that a terminal, a spreadsheet or a reader of lines takes for more than text leaves as it is:
 * control and invisible characters are escaped (JSON) or replaced (CSV), and a CSV field that a spreadsheet would compute gets an
 * apostrophe in front.
 */
export function exportLine(
  format: ExportFormat,
  index: number,
  bytes: Uint8Array,
  who: Who | undefined,
): string {
  const entry = readEntry(bytes);
  if (format === 'jsonl') {
    const text = Buffer.from(bytes).toString('utf8');
    const parsed = entry === undefined ? undefined : (JSON.parse(text) as object);
    const line =
      parsed === undefined
        ? { index, raw: Buffer.from(bytes).toString('base64') }
        : { index, ...parsed, ...(who && { who }) };
    return `${escaped(JSON.stringify(line))}\n`;
  }
  if (entry === undefined)
    return `${row({ index, kind: 'raw', about: Buffer.from(bytes).toString('base64') })}\r\n`;
  if (entry.schema === 'glacis.event/1') {
    const { at, event, by, about } = entry.event;
    return `${row({ index, time: timeOf(at), kind: 'event', event, by, about: JSON.stringify(about) })}\r\n`;
  }
  const { decision, commitments, subject } = entry;
  const { at, guards, ...rest } = decision;
  const said = guards.map(({ guard, action, score }) => `${guard}:${action}:${score}`).join(' ');
  return `${row({ index, kind: 'decision', ...rest, ...who, ...commitments, subject, time: timeOf(at), guards: said })}\r\n`;
}

function row(fields: Readonly<Record<string, unknown>>): string {
  return COLUMNS.map((name) => field(fields[name])).join(',');
}

function field(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  const safe = /^\s*[=+\-@|%\ufffd\uff1d\uff0b\uff0d\uff20]/u.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** JSON in which nothing but plain text stands: `JSON.stringify` leaves C1 controls and marks that turn the direction of reading. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) =>
    Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}

function timeOf(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}

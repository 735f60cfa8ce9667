import type { Sighting } from '../../sighting.ts';
import { timeOf } from '../csv-line.ts';
import { likeliest } from './likeliest-classes.ts';
import type { MappedField, Mapping } from './mapping.ts';
import { mismatch } from './mismatch.ts';
import { MOST_SAMPLES } from './tensor-samples.ts';

/** Most characters of a name that are taken. */
const MOST_NAME = 256;
/** Upper ends of the buckets of latencies, in milliseconds: 1, 2, 5, 10 … */
const STEPS = [1, 2, 5];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Reads lines by a mapping: a call, or undefined for a line that is sound and about no inference (another path). `model` is whom lines are about that name none. A line is attacker-controlled: what does not fit throws
 * `data/mismatch` without a place, and nothing else is ever thrown.
 */
export function mappedLine(
  mapping: Mapping,
  model: string | undefined,
): (line: string, number: number) => Sighting | undefined {
  return (line, number) => {
    const of = fieldsIn(line, mapping);
    const path = of('path');
    const asked = path === undefined ? undefined : mapping.paths.exec(text(path, 'path'));
    if (path !== undefined && asked === null) return undefined;
    const at = clockTime(of('time'));
    const name = said(of('model')) ?? safely(asked?.groups?.model) ?? model;
    if (name === undefined) throw mismatch('expected the name of a model, got none (--model says it)');
    const answers = answersIn(of);
    const latency = latencyIn(of);
    return {
      id: said(of('id')) ?? `line ${number}`,
      at,
      principal: said(of('principal')),
      tenant: said(of('tenant')),
      credential: undefined,
      address: said(of('address')) ?? '',
      model: name.slice(0, MOST_NAME),
      version: said(of('version')) ?? safely(asked?.groups?.version),
      digest: undefined,
      n: wholeIn(of, 'n') ?? answers?.length ?? 1,
      outcome: outcomeOf(wholeIn(of, 'status')),
      guards: [],
      top: answers,
      bucket: latency === undefined ? 0 : bucketOf(latency),
    };
  };
}

type Fields = (field: MappedField) => unknown;

function fieldsIn(line: string, { pattern, fields }: Mapping): Fields {
  if (pattern !== undefined) {
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) throw mismatch('expected a line of the format, got another');
    return (field) => groups[fields.get(field)?.[0] ?? ''];
  }
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw mismatch('expected a JSON object, got none');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw mismatch('expected a JSON object, got something else');
  return (field) => {
    let at: unknown = json;
    for (const key of fields.get(field) ?? ['']) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Readonly<Record<string, unknown>>)[key];
    }
    return at;
  };
}

/** A name; undefined where there is none, or the `-` that servers write for it. */
function said(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '' || value === '-') return undefined;
  return text(value, 'a name').slice(0, MOST_NAME);
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw mismatch(`expected ${what} as a text, got ${typeof value}`);
}

/** A part of a path, decoded where it can be. */
function safely(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** ISO 8601, seconds or milliseconds since 1970, or `22/Nov/2026:09:30:12 +0000`. */
function clockTime(value: unknown): number {
  const given = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const common = /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/.exec(given);
  const month = common === null ? -1 : MONTHS.indexOf(common[2]!);
  const iso =
    common === null
      ? given
      : `${common[3]}-${String(month + 1).padStart(2, '0')}-${common[1]}T${common[4]}${common[5]}:${common[6]}`;
  const at = given === '' ? Number.NaN : timeOf(iso);
  if (!(at >= 0 && at <= 8.64e15)) throw mismatch('expected a time, got another text or none');
  return at;
}

function numberIn(of: Fields, field: MappedField): number | undefined {
  const value = of(field);
  if (value === undefined || value === null || value === '' || value === '-') return undefined;
  const number = typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw mismatch(`expected ${field} as a number, got something else`);
  return number;
}

function wholeIn(of: Fields, field: MappedField): number | undefined {
  const number = numberIn(of, field);
  if (number !== undefined && !(Number.isInteger(number) && number >= 0))
    throw mismatch(`expected ${field} as a whole number, got another`);
  return number;
}

function latencyIn(of: Fields): number | undefined {
  const [milliseconds, seconds] = [numberIn(of, 'milliseconds'), numberIn(of, 'seconds')];
  const latency = milliseconds ?? (seconds === undefined ? undefined : seconds * 1000);
  if (latency !== undefined && latency < 0) throw mismatch('expected a latency of at least 0, got less');
  return latency;
}

/** Milliseconds rounded up to 1, 2, 5, 10, 20, 50 …: up to 10 seconds the buckets of the gateway's own log, beyond them finer ones, since servers of others take longer. */
export function bucketOf(milliseconds: number): number {
  for (let unit = 1; unit < 1e7; unit *= 10)
    for (const step of STEPS) if (milliseconds <= step * unit) return step * unit;
  return 1e7;
}

/** A refusal by its status, as far as that tells: of 429 nobody knows whether a rate or a budget refused. */
function outcomeOf(status: number | undefined): string {
  if (status === undefined || (status >= 200 && status < 400)) return 'answered';
  if (status === 401 || status === 403) return 'unauthenticated';
  if (status === 404) return 'unknown';
  if (status === 413) return 'too-large';
  if (status === 429) return 'throttled';
  if (status === 503) return 'unavailable';
  if (status === 504) return 'late';
  return status >= 400 && status < 500 ? 'malformed' : 'failed';
}

/** The likeliest class of each sample: from `scores` (of one sample, or a row each), or `label` and `score`. */
function answersIn(of: Fields): Sighting['top'] {
  const scores = of('scores');
  if (scores !== undefined && scores !== null) {
    if (!Array.isArray(scores) || scores.length === 0)
      throw mismatch('expected scores as a list, got another');
    const rows = Array.isArray(scores[0]) ? scores : [scores];
    return rows.slice(0, MOST_SAMPLES).map(likeliest);
  }
  const label = wholeIn(of, 'label');
  return label === undefined ? undefined : [[label, numberIn(of, 'score') ?? Number.NaN]];
}

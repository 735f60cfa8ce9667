import type { Sighting } from '../sighting.ts';

type Loose = Readonly<Record<string, unknown>>;

/** Most likeliest classes, guards, and features of a sketch that are taken. */
const MOST_TOP = 64;
const MOST_GUARDS = 32;
const MOST_FEATURES = 1024;

/**
 * A past decision as a sighting: a line of `glacis log export --format jsonl`, an entry of the log, or an object with the fields of a {@link Sighting} (of which `id`, `at` and `model` must be there; `sketch` may be `{values}`, one row). Undefined
 * for anything else, such as events. Who a sealed entry is for is not known. Written for ten millions of them: no schema, every field checked by hand; never throws.
 */
export function sightingFromJson(value: unknown): Sighting | undefined {
  if (!isLoose(value)) return undefined;
  const decision = isLoose(value.decision) ? value.decision : value;
  const who = isLoose(value.who) ? value.who : decision;
  const { id, model, at } = decision;
  if (typeof id !== 'string' || typeof model !== 'string') return undefined;
  const time = typeof at === 'number' ? at : typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (!Number.isFinite(time)) return undefined;
  return {
    id,
    entry: number(value.index ?? decision.entry),
    at: time,
    principal: text(who.principal),
    tenant: text(who.tenant),
    credential: text(who.credential),
    address: text(who.address) ?? '',
    model,
    version: text(decision.version),
    digest: text(decision.digest),
    n: number(decision.n) ?? 1,
    outcome: text(decision.outcome) ?? 'answered',
    because: text(decision.because),
    detail: text(decision.detail),
    guards: guardsOf(decision.guards),
    input: inputOf(decision.input),
    top: topOf(decision.top),
    divergence: number(decision.divergence),
    bucket: number(decision.bucket) ?? 0,
    sketch: sketchOf(decision.sketch),
  };
}

/** A line of JSON as a sighting; undefined for what is none. */
export function sightingFromLine(line: string, model?: string): Sighting | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const isBare =
    model !== undefined &&
    typeof json === 'object' &&
    json !== null &&
    !('model' in json) &&
    !('decision' in json);
  return sightingFromJson(isBare ? { ...(json as object), model } : json);
}

const isLoose = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

const NO_GUARDS: Sighting['guards'] = [];

function guardsOf(value: unknown): Sighting['guards'] {
  if (!Array.isArray(value) || value.length === 0) return NO_GUARDS;
  const guards: Sighting['guards'][number][] = [];
  for (const each of value.slice(0, MOST_GUARDS)) {
    if (!isLoose(each) || typeof each.guard !== 'string' || typeof each.action !== 'string') continue;
    guards.push({
      guard: each.guard,
      action: each.action,
      score: number(each.score) ?? Number.NaN,
      because: text(each.because),
    });
  }
  return guards;
}

function inputOf(value: unknown): Sighting['input'] {
  if (!isLoose(value) || !Array.isArray(value.shape)) return undefined;
  const [mean, deviation, least, most] = [value.mean, value.deviation, value.least, value.most].map(number);
  if (mean === undefined || deviation === undefined || least === undefined || most === undefined)
    return undefined;
  return { shape: value.shape.slice(0, 16).map((size) => number(size) ?? 0), mean, deviation, least, most };
}

function topOf(value: unknown): Sighting['top'] {
  if (!Array.isArray(value)) return undefined;
  const top: (readonly [number, number])[] = [];
  for (const each of value.length > MOST_TOP ? value.slice(0, MOST_TOP) : value) {
    if (!Array.isArray(each)) return undefined;
    top.push([number(each[0]) ?? -1, number(each[1]) ?? Number.NaN]);
  }
  return top;
}

function sketchOf(value: unknown): Sighting['sketch'] {
  if (!isLoose(value) || !Array.isArray(value.values)) return undefined;
  const width = number(value.width) ?? value.values.length;
  const rows = Math.floor(value.values.length / width);
  if (!(Number.isInteger(width) && width >= 1 && width <= MOST_FEATURES && rows >= 1 && rows <= 64))
    return undefined;
  const samples = Array.isArray(value.samples) ? value.samples : [];
  return {
    values: Float32Array.from(value.values.slice(0, rows * width), (each) => number(each) ?? Number.NaN),
    rows,
    width,
    samples: Array.from({ length: rows }, (_, i) => number(samples[i]) ?? i),
  };
}

import { GlacisError } from '../../core/error.ts';
import type { Sighting } from '../sighting.ts';
import { fieldsOf, timeOf } from './csv-line.ts';

/** Columns that are no features, by the names that they may have. */
const NAMES: Readonly<Record<string, string>> = {
  id: 'id',
  time: 'at',
  at: 'at',
  timestamp: 'at',
  principal: 'principal',
  client: 'principal',
  user: 'principal',
  tenant: 'tenant',
  credential: 'credential',
  address: 'address',
  ip: 'address',
  model: 'model',
  version: 'version',
  digest: 'digest',
  n: 'n',
  outcome: 'outcome',
  label: 'label',
  prediction: 'label',
  score: 'score',
  confidence: 'score',
  bucket: 'bucket',
  latency: 'bucket',
  guards: 'guards',
};

/** Columns of `glacis log export` that say nothing to monitors. */
const IGNORED = new Set([
  'index',
  'kind',
  'subject',
  'because',
  'detail',
  'event',
  'by',
  'about',
  'input',
  'output',
]);

/** What the columns of a table are. */
export interface CsvColumns {
  /** How many fields a line must have. */
  readonly count: number;
  /** Names of the columns that are features, and where they stand. */
  readonly features: readonly string[];
  readonly places: readonly number[];
  /** Where the column of a role (`at`, `principal`, `label`, …) stands; −1 where there is none. */
  readonly place: (role: string) => number;
  /** Where a log's export says what an entry is; −1 elsewhere. */
  readonly kind: number;
}

/** The columns by their names, of which any that has no role is a feature of the input. Errors: `data/mismatch` for a header without a time. */
export function csvColumns(header: string): CsvColumns {
  const names = fieldsOf(header.replace(/^\ufeff/, ''));
  const roles = names.map((name) => NAMES[name.trim().toLowerCase()]);
  if (!roles.includes('at'))
    throw new GlacisError('data/mismatch', "csv: expected a column 'time' among the header's, got none");
  const isFeature = names.map((name, i) => roles[i] === undefined && !IGNORED.has(name.trim().toLowerCase()));
  const places = [...names.keys()].filter((i) => isFeature[i]).slice(0, 1024);
  return {
    count: names.length,
    features: places.map((i) => names[i]!.trim()),
    places,
    place: (role) => roles.indexOf(role),
    kind: names.indexOf('kind'),
  };
}

/**
 * A line of a table with these columns as a sighting: of `glacis log export --format csv`, or any other with a time and what is known of `principal`, `model`, `label`, `score` …. `model` is the one of lines that name none, `number` counts the decisions
 * before, for lines without an id. Undefined for a line that is no decision; lines end within fields only in files that others wrote, and are read as broken ones.
 */
export function sightingFromCsv(
  { count, places, place, kind }: CsvColumns,
  line: string,
  model: string | undefined,
  number: number,
): Sighting | undefined {
  if (line === '' || line === '\r') return undefined;
  const fields = fieldsOf(line);
  if (fields.length !== count) return undefined;
  if (kind >= 0 && fields[kind] !== 'decision' && fields[kind] !== '') return undefined;
  const of = (role: string): string | undefined => {
    const field = fields[place(role)];
    return field === '' ? undefined : field;
  };
  const time = timeOf(of('at'));
  const name = of('model') ?? model;
  if (!Number.isFinite(time) || name === undefined) return undefined;
  const label = of('label');
  const values = new Float32Array(places.length);
  for (const [k, i] of places.entries()) values[k] = fields[i] === '' ? Number.NaN : Number(fields[i]);
  return {
    id: of('id') ?? `line ${number + 1}`,
    at: time,
    principal: of('principal'),
    tenant: of('tenant'),
    credential: of('credential'),
    address: of('address') ?? '',
    model: name,
    version: of('version'),
    digest: of('digest'),
    n: whole(of('n')) ?? 1,
    outcome: of('outcome') ?? 'answered',
    guards: guardsOf(of('guards')),
    top: label === undefined ? undefined : [[Number(label), Number(of('score') ?? Number.NaN)]],
    bucket: Number(of('bucket') ?? 0) || 0,
    sketch: places.length === 0 ? undefined : { values, rows: 1, width: places.length, samples: [0] },
  };
}

function whole(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** `guard:action:score` with blanks between, as the export writes them. */
export function guardsOf(text: string | undefined): Sighting['guards'] {
  if (text === undefined) return [];
  return text
    .split(' ')
    .slice(0, 32)
    .flatMap((word) => {
      const [guard, action, score] = word.split(':');
      return guard && action ? [{ guard, action, score: Number(score ?? Number.NaN) }] : [];
    });
}

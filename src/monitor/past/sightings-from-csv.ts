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

/** Reads lines of a CSV file as sightings, the header first. */
export interface CsvSightings {
  /** Names of the columns that became features, in order. */
  readonly features: readonly string[];
  /** Undefined for a line that is no decision. */
  read(line: string): Sighting | undefined;
}

/**
 * A reader for a file with this header: of `glacis log export --format csv`, or any other with a time and what is known of `principal`, `model`, `label`, `score` …; a column of another name is a feature of the input. `model` is the one of lines that
 * name none. Lines end within fields only in files that others wrote, and are read as broken ones there: undefined. Errors: `data/mismatch` for a header without a time.
 */
export function csvSightings(header: string, model: string | undefined): CsvSightings {
  const names = fieldsOf(header.replace(/^\ufeff/, ''));
  const roles = names.map((name) => NAMES[name.trim().toLowerCase()]);
  if (!roles.includes('at'))
    throw new GlacisError('data/mismatch', "csv: expected a column 'time' among the header's, got none");
  const place = (role: string) => roles.indexOf(role);
  const isFeature = names.map((name, i) => roles[i] === undefined && !IGNORED.has(name.trim().toLowerCase()));
  const columns = [...names.keys()].filter((i) => isFeature[i]).slice(0, 1024);
  const at = { kind: names.indexOf('kind') };
  let next = 0;
  return {
    features: columns.map((i) => names[i]!.trim()),
    read(line) {
      if (line === '' || line === '\r') return undefined;
      const fields = fieldsOf(line);
      if (fields.length !== names.length) return undefined;
      if (at.kind >= 0 && fields[at.kind] !== 'decision' && fields[at.kind] !== '') return undefined;
      const of = (role: string): string | undefined => {
        const field = fields[place(role)];
        return field === '' ? undefined : field;
      };
      const time = timeOf(of('at'));
      const name = of('model') ?? model;
      if (!Number.isFinite(time) || name === undefined) return undefined;
      const label = of('label');
      const values = new Float32Array(columns.length);
      for (const [k, i] of columns.entries()) values[k] = fields[i] === '' ? Number.NaN : Number(fields[i]);
      next++;
      return {
        id: of('id') ?? `line ${next}`,
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
        sketch: columns.length === 0 ? undefined : { values, rows: 1, width: columns.length, samples: [0] },
      };
    },
  };
}

function whole(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined;
}

/** `guard:action:score` with blanks between, as the export writes them. */
function guardsOf(text: string | undefined): Sighting['guards'] {
  if (text === undefined) return [];
  return text
    .split(' ')
    .slice(0, 32)
    .flatMap((word) => {
      const [guard, action, score] = word.split(':');
      return guard && action ? [{ guard, action, score: Number(score ?? Number.NaN) }] : [];
    });
}

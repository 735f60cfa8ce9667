import {
  ADDRESS,
  AT,
  BECAUSE,
  BUCKET,
  CREDENTIAL,
  DETAIL,
  DIGEST,
  DIMS,
  DIVERGENCE,
  ENTRY,
  FLOATS,
  GUARDS,
  HEADER,
  ID,
  MODEL,
  MOST_TEXT,
  OUTCOME,
  PRINCIPAL,
  ROWS,
  SAMPLES,
  TENANT,
  TOP,
  VERSION,
  WIDTH,
} from '../packed/record.ts';
import type { BatchWriter } from './batch.ts';
import { openCsvFields } from './csv-fields.ts';
import { csvColumns, guardsOf, sightingFromCsv } from './sighting-from-csv.ts';

/** Reads lines of a table into batches. */
export interface CsvReader {
  /** Names of the columns that are features, in order. */
  readonly features: readonly string[];
  /** Reads the line from `from` to `to`, where a line feed must stand. False for what is no decision. The batch must have room. */
  read(bytes: Buffer, from: number, to: number): boolean;
}

/** Texts of a line, by role, and where each stands in a record. */
const TEXTS = Object.entries({
  ...{ principal: PRINCIPAL, tenant: TENANT, credential: CREDENTIAL, address: ADDRESS },
  ...{ model: MODEL, version: VERSION, digest: DIGEST, outcome: OUTCOME },
});

/**
 * Opens one for a table with this header. It reads what `sightingFromCsv` reads and nothing else, without making texts of what is not asked for; whatever is unusual in a line (doubled quotes, numbers and times in other spellings) is left to that, line by
 * line. `model` is the one of lines that name none. Errors: those of `csvColumns`.
 */
export function openCsvReader(writer: BatchWriter, header: string, model: string | undefined): CsvReader {
  const columns = csvColumns(header);
  const { texts } = writer;
  const fields = openCsvFields(columns.count);
  const placed = TEXTS.map(([role, to]) => ({ from: columns.place(role), to }));
  const { kind, places, place: placeOf } = columns;
  const [id, at, label, score] = [placeOf('id'), placeOf('at'), placeOf('label'), placeOf('score')];
  const [samples, bucket, said] = [placeOf('n'), placeOf('bucket'), placeOf('guards')];
  /** Numbers of the texts of the line before, by place in a record. */
  const like = new Int32Array(HEADER).fill(-1);
  let number = 0;

  /** A number, `otherwise` where the field is empty or there is none; {@link isOdd} is set where it is spelt otherwise. */
  const numberOf = (place: number, otherwise: number): number => {
    if (place < 0 || fields.isEmpty(place)) return otherwise;
    const value = fields.numberAt(place);
    if (Number.isNaN(value)) isOdd = true;
    return value;
  };
  let isOdd = false;

  /** False where the line is no decision, undefined where that, or what it says, is for others to tell. */
  const plain = (bytes: Buffer, from: number, to: number): boolean | undefined => {
    const found = fields.split(bytes, from, to);
    if (found === undefined) return undefined;
    if (found !== columns.count) return false;
    if (kind >= 0 && !fields.isEmpty(kind) && !fields.is(kind, 'decision')) return false;
    const time = at < 0 || fields.isEmpty(at) ? Number.NaN : fields.timeAt(at);
    if (!Number.isFinite(time)) return undefined;
    const [numbers, floats, row, floatAt] = [
      writer.numbers(),
      writer.floats(),
      writer.at(),
      writer.floatAt(),
    ];
    numbers[row + AT] = time;
    for (let i = 0; i < placed.length; i++) {
      const { from: place, to: cell } = placed[i]!;
      numbers[row + cell] = -1;
      if (place < 0 || fields.isEmpty(place)) continue;
      if (fields.lengthOf(place) > MOST_TEXT) return undefined;
      like[cell] = fields.textAt(place, texts, like[cell]!);
      numbers[row + cell] = like[cell]!;
    }
    if (numbers[row + MODEL] === -1) {
      if (model === undefined) return false;
      numbers[row + MODEL] = texts.numberOf(model);
    }
    if (numbers[row + ADDRESS] === -1) numbers[row + ADDRESS] = texts.numberOf('');
    if (numbers[row + OUTCOME] === -1) numbers[row + OUTCOME] = texts.numberOf('answered');
    numbers[row + ENTRY] = Number.NaN;
    numbers[row + DIVERGENCE] = Number.NaN;
    numbers[row + BECAUSE] = -1;
    numbers[row + DETAIL] = -1;
    isOdd = false;
    const n = numberOf(samples, 1);
    numbers[row + SAMPLES] = Number.isInteger(n) && n >= 0 ? n : 1;
    // Minus zero is none.
    numbers[row + BUCKET] = numberOf(bucket, 0) || 0;
    numbers[row + DIMS] = -1;
    let end = row + HEADER;
    const guards = said < 0 || fields.isEmpty(said) ? [] : guardsOf(fields.stringAt(said));
    numbers[row + GUARDS] = guards.length;
    for (const { guard, action, score: value } of guards) {
      numbers[end++] = texts.numberOf(guard);
      numbers[end++] = texts.numberOf(action);
      numbers[end++] = value;
      numbers[end++] = -1;
    }
    numbers[row + TOP] = -1;
    if (label >= 0 && !fields.isEmpty(label)) {
      numbers[row + TOP] = 1;
      numbers[end++] = numberOf(label, 0);
      numbers[end++] = numberOf(score, Number.NaN);
    }
    numbers[row + ROWS] = places.length > 0 ? 1 : 0;
    numbers[row + WIDTH] = places.length;
    numbers[row + FLOATS] = floatAt;
    if (places.length > 0) numbers[end++] = 0;
    for (let k = 0; k < places.length; k++) floats[floatAt + k] = numberOf(places[k]!, Number.NaN);
    if (isOdd) return undefined;
    const idAt = writer.idAt();
    const length = idOf(row, idAt);
    if (length < 0) return undefined;
    number++;
    writer.close(end, idAt + length, floatAt + places.length);
    return true;
  };

  /** Writes the id of a record; gives its length, −1 for one that others have to write. */
  const idOf = (row: number, idAt: number): number => {
    const ids = writer.ids();
    let length: number;
    if (id < 0 || fields.isEmpty(id)) length = ids.write(`line ${number + 1}`, idAt, 'latin1');
    else if (fields.lengthOf(id) > MOST_TEXT) return -1;
    else length = fields.copyAscii(id, ids, idAt);
    writer.numbers()[row + ID] = length;
    return length;
  };

  return {
    features: columns.features,
    read(bytes, from, to) {
      const found = plain(bytes, from, to);
      if (found !== undefined) return found;
      const sighting = sightingFromCsv(columns, bytes.toString('utf8', from, to), model, number);
      if (sighting === undefined) return false;
      number++;
      writer.add(sighting);
      return true;
    },
  };
}

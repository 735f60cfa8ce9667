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
import {
  DECISION,
  LINE,
  NULL,
  NUMBER,
  OBJECT,
  openLineMembers,
  TEXT,
  TOO_LONG,
  WHO,
  WIDE_TEXT,
} from './line-members.ts';
import { COUNT, F } from './member-names.ts';
import { sightingFromLine } from './sighting-from-json.ts';

/** Reads lines of JSON into batches. */
export interface LineReader {
  /** Reads the line from `from` to `to`, where a line feed must stand. False for what is no decision. The batch must have room. `entry` is the index in the log, where that is known better than the line says it. */
  read(bytes: Buffer, from: number, to: number, entry?: number): boolean;
}

/**
 * Opens one that reads what `sightingFromLine` reads and nothing else, without making text or objects of what is not asked for: about a microsecond a line of 600 bytes. It knows plain JSON; whatever is unusual in a line (escapes in texts, members
 * that come twice, values of other types than usual, sketches too large) is left to JSON.parse, line by line, and so is what is no JSON at all.
 */
export function openLineReader(writer: BatchWriter, model: string | undefined): LineReader {
  const { texts } = writer;
  const members = openLineMembers(texts);
  const { has, lists } = members;
  const { guards, top, shape, input, sketch } = lists;
  /** Texts of the same place in the lines before, by object and name. */
  const like = new Int32Array(COUNT * (WHO + 1)).fill(-1);
  let bytes: Buffer = Buffer.alloc(0);

  /** −1 where it is no text. */
  const memberText = (object: number, name: number): number => {
    const found = has(object, name);
    if (found !== TEXT && found !== WIDE_TEXT) return -1;
    const place = object * COUNT + name;
    const number = members.textOf(object, name, like[place]!);
    if (number >= 0) like[place] = number;
    return number;
  };
  const memberNumber = (object: number, name: number, otherwise: number): number => {
    const value = members.valueOf(object, name);
    return has(object, name) === NUMBER && Number.isFinite(value) ? value : otherwise;
  };

  const timeOf = (object: number): number => {
    const found = has(object, F.at);
    if (found === NUMBER) return members.valueOf(object, F.at);
    if (found !== TEXT) return Number.NaN;
    return Date.parse(bytes.toString('latin1', members.startOf(object, F.at), members.endOf(object, F.at)));
  };

  /** Writes what was read of the decision `own`: false where it is none, undefined where it does not fit. */
  const commit = (own: number, entry: number | undefined): boolean | undefined => {
    const who = has(LINE, F.who) === OBJECT ? WHO : own;
    const id = has(own, F.id);
    if (id === WIDE_TEXT) return undefined;
    const isBare = model !== undefined && has(LINE, F.model) === 0 && has(LINE, F.decision) === 0;
    const isNamed = has(own, F.model) === TEXT || has(own, F.model) === WIDE_TEXT;
    if (id !== TEXT || !(isNamed || isBare)) return false;
    const at = timeOf(own);
    if (!Number.isFinite(at)) return false;
    const index = has(LINE, F.index);
    const [numbers, ids, row] = [writer.numbers(), writer.ids(), writer.at()];
    numbers[row + AT] = at;
    numbers[row + ENTRY] =
      entry !== undefined
        ? entry
        : index === 0 || index === NULL
          ? memberNumber(own, F.entry, Number.NaN)
          : memberNumber(LINE, F.index, Number.NaN);
    numbers[row + PRINCIPAL] = memberText(who, F.principal);
    numbers[row + TENANT] = memberText(who, F.tenant);
    numbers[row + CREDENTIAL] = memberText(who, F.credential);
    const address = memberText(who, F.address);
    numbers[row + ADDRESS] = address === -1 ? texts.numberOf('') : address;
    numbers[row + MODEL] = isNamed ? memberText(own, F.model) : texts.numberOf(model);
    numbers[row + VERSION] = memberText(own, F.version);
    numbers[row + DIGEST] = memberText(own, F.digest);
    const outcome = memberText(own, F.outcome);
    numbers[row + OUTCOME] = outcome === -1 ? texts.numberOf('answered') : outcome;
    numbers[row + BECAUSE] = memberText(own, F.because);
    numbers[row + DETAIL] = memberText(own, F.detail);
    for (let place = row + PRINCIPAL; place <= row + DETAIL; place++)
      if (numbers[place] === TOO_LONG) return undefined;
    numbers[row + SAMPLES] = memberNumber(own, F.n, 1);
    numbers[row + DIVERGENCE] = memberNumber(own, F.divergence, Number.NaN);
    numbers[row + BUCKET] = memberNumber(own, F.bucket, 0);
    const [from, to] = [members.startOf(own, F.id), members.endOf(own, F.id)];
    if (to - from > MOST_TEXT) return undefined;
    const idAt = writer.idAt();
    for (let i = from; i < to; i++) ids[idAt + i - from] = bytes[i]!;
    numbers[row + ID] = to - from;
    const rows = lists.sketchOf === own ? sketch.rows() : 0;
    const width = rows > 0 ? sketch.width() : 0;
    const floatAt = writer.floatAt();
    numbers[row + ROWS] = rows;
    numbers[row + WIDTH] = width;
    numbers[row + FLOATS] = floatAt;
    let end = row + HEADER;
    numbers[row + GUARDS] = lists.saidOf === own ? lists.said : 0;
    if (lists.saidOf === own) for (let i = 0; i < 4 * lists.said; i++) numbers[end++] = guards[i]!;
    numbers[row + DIMS] = lists.dimsOf === own ? lists.dims : -1;
    if (lists.dimsOf === own) {
      for (let i = 0; i < lists.dims; i++) numbers[end++] = shape[i]!;
      for (let i = 0; i < 4; i++) numbers[end++] = input[i]!;
    }
    numbers[row + TOP] = lists.classesOf === own ? lists.classes : -1;
    if (lists.classesOf === own) for (let i = 0; i < 2 * lists.classes; i++) numbers[end++] = top[i]!;
    for (let i = 0; i < rows; i++) numbers[end++] = sketch.samples[i]!;
    const floats = writer.floats();
    for (let i = 0; i < rows * width; i++) floats[floatAt + i] = sketch.values[i]!;
    writer.close(end, idAt + to - from, floatAt + rows * width);
    return true;
  };

  /** Reads the line as plain JSON. Undefined where that cannot be said. */
  const plain = (from: number, to: number, entry: number | undefined): boolean | undefined => {
    if (!members.read(bytes, from, to)) return undefined;
    return commit(has(LINE, F.decision) === OBJECT ? DECISION : LINE, entry);
  };

  return {
    read(given, from, to, entry) {
      bytes = given;
      const found = plain(from, to, entry);
      if (found !== undefined) return found;
      const sighting = sightingFromLine(given.toString('utf8', from, to), model);
      if (sighting !== undefined) writer.add(entry === undefined ? sighting : { ...sighting, entry });
      return sighting !== undefined;
    },
  };
}

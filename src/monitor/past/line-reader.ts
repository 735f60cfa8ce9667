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
  MOST_DIMS,
  MOST_GUARDS,
  MOST_TEXT,
  MOST_TOP,
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
import { openJsonScanner, UNUSUAL } from './json-scanner.ts';
import { sightingFromLine } from './sighting-from-json.ts';

/** Reads lines of JSON into batches. */
export interface LineReader {
  /** Reads the line from `from` to `to`, where a line feed must stand. False for what is no decision. The batch must have room. `entry` is the index in the log, where that is known better than the line says it. */
  read(bytes: Buffer, from: number, to: number, entry?: number): boolean;
}

/** Names that are looked for. */
const NAMES = [
  ...['index', 'decision', 'who', 'id', 'model', 'at', 'entry', 'version', 'digest', 'n', 'outcome'],
  ...['because', 'detail', 'guards', 'input', 'top', 'divergence', 'bucket', 'sketch'],
  ...['principal', 'tenant', 'credential', 'address'],
  ...['guard', 'action', 'score', 'shape', 'mean', 'deviation', 'least', 'most'],
] as const;
type Name = (typeof NAMES)[number];
const COUNT = NAMES.length;
const BYTES = NAMES.map((name) => Uint8Array.from(Buffer.from(name)));
const F = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Readonly<Record<Name, number>>;

/** Name + 1 by a hash of first, last and length, the next free place where two share one. */
const SLOTS = 256;
const hashOf = (first: number, last: number, length: number): number =>
  (first + 9 * last + 8 * length) & (SLOTS - 1);
const TABLE = new Uint8Array(SLOTS);
for (const [i, bytes] of BYTES.entries()) {
  let at = hashOf(bytes[0]!, bytes.at(-1)!, bytes.length);
  while (TABLE[at] !== 0) at = (at + 1) & (SLOTS - 1);
  TABLE[at] = i + 1;
}

/** What a value is; where it matters no more, {@link OTHER}. */
const TEXT = 1;
const WIDE_TEXT = 2;
const NUMBER = 3;
const NULL = 4;
const OBJECT = 5;
const OTHER = 6;

/** No number of a text. */
const TOO_LONG = -2;
const INPUTS = [F.mean, F.deviation, F.least, F.most] as const;

/** Objects whose members are kept apart: the line's own, the decision, who asked, and one of a list. */
const LINE = 0;
const DECISION = 1;
const WHO = 2;
const INNER = 3;

/**
 * Opens one that reads what `sightingFromLine` reads and nothing else, without making text or objects of what is not asked for: about a microsecond a line of 600 bytes. It knows plain JSON; whatever is unusual in a line (escapes in texts, members
 * that come twice, values of other types than usual, sketches) is left to JSON.parse, line by line, and so is what is no JSON at all.
 */
export function openLineReader(writer: BatchWriter, model: string | undefined): LineReader {
  const { texts } = writer;
  const scan = openJsonScanner();
  const kind = new Uint8Array(4 * COUNT);
  const starts = new Int32Array(4 * COUNT);
  const ends = new Int32Array(4 * COUNT);
  const values = new Float64Array(4 * COUNT);
  /** Members that were there, by object; a bit a name. */
  const seen = new Int32Array(4);
  const guards = new Float64Array(4 * MOST_GUARDS);
  const top = new Float64Array(2 * MOST_TOP);
  const shape = new Float64Array(MOST_DIMS);
  const input = new Float64Array(4);
  /** How many there are of each, and of which object they are members; −1 for none. */
  let [said, saidOf, classes, classesOf, dims, dimsOf] = [0, -1, 0, -1, 0, -1];
  /** Texts of the same place in the lines before. */
  const like = new Int32Array(4 * COUNT).fill(-1);
  const likeGuards = new Int32Array(3 * MOST_GUARDS).fill(-1);
  let bytes: Buffer = Buffer.alloc(0);

  const nameAt = (from: number, to: number): number => {
    if (from === to) return -1;
    let at = hashOf(bytes[from]!, bytes[to - 1]!, to - from);
    for (; TABLE[at] !== 0; at = (at + 1) & (SLOTS - 1)) {
      const name = BYTES[TABLE[at]! - 1]!;
      if (name.length !== to - from) continue;
      let i = 0;
      while (i < name.length && name[i] === bytes[from + i]) i++;
      if (i === name.length) return TABLE[at]! - 1;
    }
    return -1;
  };

  /** Reads the members of an object from behind its brace on; gives the place behind it. */
  const members = (object: number, start: number): number => {
    let at = scan.space(start);
    if (bytes[at] === 125) return at + 1;
    for (;;) {
      if (bytes[at] !== 34) return UNUSUAL;
      const from = at + 1;
      const end = scan.text(from);
      if (end === UNUSUAL) return UNUSUAL;
      at = scan.space(end + 1);
      if (bytes[at] !== 58) return UNUSUAL;
      at = scan.space(at + 1);
      const name = nameAt(from, end);
      if (name < 0) at = scan.skip(at);
      else {
        const bit = 1 << name;
        if ((seen[object]! & bit) !== 0) return UNUSUAL;
        seen[object]! |= bit;
        at = member(object, name, at);
      }
      if (at === UNUSUAL) return UNUSUAL;
      at = scan.space(at);
      if (bytes[at] === 125) return at + 1;
      if (bytes[at] !== 44) return UNUSUAL;
      at = scan.space(at + 1);
    }
  };

  const member = (object: number, name: number, at: number): number => {
    const place = object * COUNT + name;
    const first = bytes[at]!;
    if (first === 34) {
      const end = scan.text(at + 1);
      if (end === UNUSUAL) return UNUSUAL;
      kind[place] = scan.isWide() ? WIDE_TEXT : TEXT;
      starts[place] = at + 1;
      ends[place] = end;
      return end + 1;
    }
    if (first === 45 || (first >= 48 && first <= 57)) {
      const end = scan.number(at);
      kind[place] = NUMBER;
      values[place] = scan.value();
      return end;
    }
    if (first === 123) {
      kind[place] = OBJECT;
      if (object === LINE && name === F.decision) return members(DECISION, at + 1);
      if (object === LINE && name === F.who) return members(WHO, at + 1);
      if (object === LINE || object === DECISION) {
        if (name === F.input) return inputAt(object, at + 1);
        if (name === F.sketch) return UNUSUAL;
      }
      return scan.skip(at);
    }
    if (first === 91 && (object === LINE || object === DECISION)) {
      kind[place] = OTHER;
      if (name === F.guards) return guardsAt(object, at + 1);
      if (name === F.top) return topAt(object, at + 1);
      return scan.skip(at);
    }
    if (first === 91 && object === INNER && name === F.shape) {
      kind[place] = OTHER;
      return shapeAt(at + 1);
    }
    kind[place] = first === 110 ? NULL : OTHER;
    return scan.skip(at);
  };

  /** A list from behind its bracket on; `each` gives the place behind the element that begins at a place. */
  const list = (start: number, most: number, each: (at: number, i: number) => number): number => {
    let at = scan.space(start);
    listed = 0;
    if (bytes[at] === 93) return at + 1;
    for (;;) {
      if (listed === most) return UNUSUAL;
      at = each(at, listed++);
      if (at === UNUSUAL) return UNUSUAL;
      at = scan.space(at);
      if (bytes[at] === 93) return at + 1;
      if (bytes[at] !== 44) return UNUSUAL;
      at = scan.space(at + 1);
    }
  };
  let listed = 0;
  const inner = (at: number): number => {
    if (bytes[at] !== 123) return UNUSUAL;
    seen[INNER] = 0;
    return members(INNER, at + 1);
  };
  const has = (object: number, name: number): number =>
    (seen[object]! & (1 << name)) === 0 ? 0 : kind[object * COUNT + name]!;
  const numbersOf = (at: number): number => {
    const first = bytes[at]!;
    return first === 45 || (first >= 48 && first <= 57) ? scan.number(at) : UNUSUAL;
  };

  const guardAt = (at: number, i: number): number => {
    const end = inner(at);
    if (end === UNUSUAL) return UNUSUAL;
    const score = has(INNER, F.score);
    const because = has(INNER, F.because);
    if (has(INNER, F.guard) !== TEXT || has(INNER, F.action) !== TEXT) return UNUSUAL;
    if (score !== NUMBER && score !== NULL && score !== 0) return UNUSUAL;
    if (because !== TEXT && because !== 0) return UNUSUAL;
    const [guard, action] = [
      textOf(INNER, F.guard, likeGuards[3 * i]!),
      textOf(INNER, F.action, likeGuards[3 * i + 1]!),
    ];
    const why = because === 0 ? -1 : textOf(INNER, F.because, likeGuards[3 * i + 2]!);
    if (guard === TOO_LONG || action === TOO_LONG || why === TOO_LONG) return UNUSUAL;
    likeGuards[3 * i] = guard;
    likeGuards[3 * i + 1] = action;
    likeGuards[3 * i + 2] = why;
    const value = values[INNER * COUNT + F.score]!;
    guards[4 * i] = guard;
    guards[4 * i + 1] = action;
    guards[4 * i + 2] = score === NUMBER && Number.isFinite(value) ? value : Number.NaN;
    guards[4 * i + 3] = why;
    return end;
  };
  const guardsAt = (object: number, start: number): number => {
    if (saidOf >= 0) return UNUSUAL;
    saidOf = object;
    const end = list(start, MOST_GUARDS, guardAt);
    said = listed;
    return end;
  };

  /** `[label, score]`, and nothing else. */
  const pairAt = (start: number, i: number): number => {
    if (bytes[start] !== 91) return UNUSUAL;
    let at = numbersOf(scan.space(start + 1));
    if (at === UNUSUAL) return UNUSUAL;
    const label = scan.value();
    at = scan.space(at);
    if (bytes[at] !== 44) return UNUSUAL;
    at = numbersOf(scan.space(at + 1));
    if (at === UNUSUAL) return UNUSUAL;
    const score = scan.value();
    at = scan.space(at);
    if (bytes[at] !== 93) return UNUSUAL;
    top[2 * i] = Number.isFinite(label) ? label : -1;
    top[2 * i + 1] = Number.isFinite(score) ? score : Number.NaN;
    return at + 1;
  };
  const topAt = (object: number, start: number): number => {
    if (classesOf >= 0) return UNUSUAL;
    classesOf = object;
    const end = list(start, MOST_TOP, pairAt);
    classes = listed;
    return end;
  };

  const sizeAt = (at: number, i: number): number => {
    const end = numbersOf(at);
    shape[i] = Number.isFinite(scan.value()) ? scan.value() : 0;
    return end;
  };
  const shapeAt = (start: number): number => {
    const end = list(start, MOST_DIMS, sizeAt);
    dims = listed;
    return end;
  };
  const inputAt = (object: number, start: number): number => {
    if (dimsOf >= 0) return UNUSUAL;
    dimsOf = object;
    dims = -1;
    seen[INNER] = 0;
    const end = members(INNER, start);
    if (end === UNUSUAL || dims < 0) return UNUSUAL;
    for (let i = 0; i < INPUTS.length; i++) {
      const value = values[INNER * COUNT + INPUTS[i]!]!;
      if (has(INNER, INPUTS[i]!) !== NUMBER || !Number.isFinite(value)) return UNUSUAL;
      input[i] = value;
    }
    return end;
  };

  /** The number of a text; {@link TOO_LONG} for one that would have to be cut. */
  const textOf = (object: number, name: number, before: number): number => {
    const place = object * COUNT + name;
    const [from, to] = [starts[place]!, ends[place]!];
    return to - from > MOST_TEXT ? TOO_LONG : texts.numberAt(bytes, from, to, before);
  };
  /** −1 where it is no text. */
  const memberText = (object: number, name: number): number => {
    const found = has(object, name);
    if (found !== TEXT && found !== WIDE_TEXT) return -1;
    const number = textOf(object, name, like[object * COUNT + name]!);
    if (number >= 0) like[object * COUNT + name] = number;
    return number;
  };
  const memberNumber = (object: number, name: number, otherwise: number): number => {
    const value = values[object * COUNT + name]!;
    return has(object, name) === NUMBER && Number.isFinite(value) ? value : otherwise;
  };

  const timeOf = (object: number): number => {
    const found = has(object, F.at);
    const place = object * COUNT + F.at;
    if (found === NUMBER) return values[place]!;
    return found === TEXT ? Date.parse(bytes.toString('latin1', starts[place]!, ends[place]!)) : Number.NaN;
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
    const [from, to] = [starts[own * COUNT + F.id]!, ends[own * COUNT + F.id]!];
    if (to - from > MOST_TEXT) return undefined;
    const idAt = writer.idAt();
    for (let i = from; i < to; i++) ids[idAt + i - from] = bytes[i]!;
    numbers[row + ID] = to - from;
    numbers[row + ROWS] = 0;
    numbers[row + WIDTH] = 0;
    numbers[row + FLOATS] = 0;
    let end = row + HEADER;
    numbers[row + GUARDS] = saidOf === own ? said : 0;
    if (saidOf === own) for (let i = 0; i < 4 * said; i++) numbers[end++] = guards[i]!;
    numbers[row + DIMS] = dimsOf === own ? dims : -1;
    if (dimsOf === own) {
      for (let i = 0; i < dims; i++) numbers[end++] = shape[i]!;
      for (let i = 0; i < 4; i++) numbers[end++] = input[i]!;
    }
    numbers[row + TOP] = classesOf === own ? classes : -1;
    if (classesOf === own) for (let i = 0; i < 2 * classes; i++) numbers[end++] = top[i]!;
    writer.close(end, idAt + to - from);
    return true;
  };

  /** Reads the line as plain JSON. Undefined where that cannot be said. */
  const plain = (from: number, to: number, entry: number | undefined): boolean | undefined => {
    seen.fill(0);
    [saidOf, classesOf, dimsOf] = [-1, -1, -1];
    scan.open(bytes);
    const start = scan.space(from);
    if (bytes[start] !== 123) return undefined;
    const end = members(LINE, start + 1);
    if (end === UNUSUAL || scan.space(end) < to) return undefined;
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

import { MOST_DIMS, MOST_GUARDS, MOST_TEXT, MOST_TOP } from '../packed/record.ts';
import { openJsonScanner, UNUSUAL } from './json-scanner.ts';
import { COUNT, F, nameAt } from './member-names.ts';
import { openSketchMembers, type SketchMembers } from './sketch-members.ts';
import type { Texts } from './texts.ts';

/** What stands in a line of JSON: its members by object and name, each as a kind and a place, and what its lists hold. All of it holds until the next line is read. */
export interface LineMembers {
  /** Reads the line from `from` to `to`, where a line feed must stand. False where it is not plain JSON. */
  read(bytes: Buffer, from: number, to: number): boolean;
  /** The kind of a member; 0 where there is none. */
  has(object: number, name: number): number;
  /** Where a text begins and ends. */
  startOf(object: number, name: number): number;
  endOf(object: number, name: number): number;
  /** A number. */
  valueOf(object: number, name: number): number;
  /** The number of a text in the table; {@link TOO_LONG} for one that would have to be cut. `before`: that of the same place in the line before. */
  textOf(object: number, name: number, before: number): number;
  readonly lists: LineLists;
}

/** Guards, likeliest classes, the input of a decision and its sketch. */
export interface LineLists {
  /** Numbers of the texts of guard and action, score, and number of the text of why. */
  readonly guards: Float64Array;
  /** Label and score. */
  readonly top: Float64Array;
  readonly shape: Float64Array;
  /** Mean, deviation, least and most. */
  readonly input: Float64Array;
  /** How many there are of each, and of which object they are members; −1 for none. */
  said: number;
  saidOf: number;
  classes: number;
  classesOf: number;
  dims: number;
  dimsOf: number;
  /** What is sketched, and of which object it is a member. */
  readonly sketch: SketchMembers;
  sketchOf: number;
}

/** What a value is; where it matters no more, `OTHER`. */
export const TEXT = 1;
export const WIDE_TEXT = 2;
export const NUMBER = 3;
export const NULL = 4;
export const OBJECT = 5;
const OTHER = 6;

/** No number of a text. */
export const TOO_LONG = -2;
const INPUTS = [F.mean, F.deviation, F.least, F.most] as const;

/** Objects whose members are kept apart: the line's own, the decision, who asked, and one of a list. */
export const LINE = 0;
export const DECISION = 1;
export const WHO = 2;
const INNER = 3;

/** Opens what reads members without making text or objects of them. Texts that it needs the number of are put into `texts`. */
export function openLineMembers(texts: Texts): LineMembers {
  const scan = openJsonScanner();
  const kind = new Uint8Array(4 * COUNT);
  const starts = new Int32Array(4 * COUNT);
  const ends = new Int32Array(4 * COUNT);
  const values = new Float64Array(4 * COUNT);
  /** Members that were there, by object; a bit a name. */
  const seen = new Int32Array(4);
  const lists: LineLists = {
    guards: new Float64Array(4 * MOST_GUARDS),
    top: new Float64Array(2 * MOST_TOP),
    shape: new Float64Array(MOST_DIMS),
    input: new Float64Array(4),
    ...{ said: 0, saidOf: -1, classes: 0, classesOf: -1, dims: 0, dimsOf: -1 },
    sketch: openSketchMembers(scan),
    sketchOf: -1,
  };
  const { guards, top, shape, input } = lists;
  /** Texts of the same place in the lists before. */
  const likeGuards = new Int32Array(3 * MOST_GUARDS).fill(-1);
  let bytes: Buffer = Buffer.alloc(0);

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
      const name = nameAt(bytes, from, end);
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
        if (name === F.sketch) return sketchAt(object, at + 1);
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
    if (lists.saidOf >= 0) return UNUSUAL;
    lists.saidOf = object;
    const end = list(start, MOST_GUARDS, guardAt);
    lists.said = listed;
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
    if (lists.classesOf >= 0) return UNUSUAL;
    lists.classesOf = object;
    const end = list(start, MOST_TOP, pairAt);
    lists.classes = listed;
    return end;
  };

  const sizeAt = (at: number, i: number): number => {
    const end = numbersOf(at);
    shape[i] = Number.isFinite(scan.value()) ? scan.value() : 0;
    return end;
  };
  const shapeAt = (start: number): number => {
    const end = list(start, MOST_DIMS, sizeAt);
    lists.dims = listed;
    return end;
  };
  const inputAt = (object: number, start: number): number => {
    if (lists.dimsOf >= 0) return UNUSUAL;
    lists.dimsOf = object;
    lists.dims = -1;
    seen[INNER] = 0;
    const end = members(INNER, start);
    if (end === UNUSUAL || lists.dims < 0) return UNUSUAL;
    for (let i = 0; i < INPUTS.length; i++) {
      const value = values[INNER * COUNT + INPUTS[i]!]!;
      if (has(INNER, INPUTS[i]!) !== NUMBER || !Number.isFinite(value)) return UNUSUAL;
      input[i] = value;
    }
    return end;
  };

  const sketchAt = (object: number, start: number): number => {
    if (lists.sketchOf >= 0) return UNUSUAL;
    lists.sketchOf = object;
    return lists.sketch.read(bytes, start);
  };

  /** The number of a text; {@link TOO_LONG} for one that would have to be cut. */
  const textOf = (object: number, name: number, before: number): number => {
    const place = object * COUNT + name;
    const [from, to] = [starts[place]!, ends[place]!];
    return to - from > MOST_TEXT ? TOO_LONG : texts.numberAt(bytes, from, to, before);
  };

  return {
    read(given, from, to) {
      bytes = given;
      seen.fill(0);
      lists.saidOf = -1;
      lists.classesOf = -1;
      lists.dimsOf = -1;
      lists.sketchOf = -1;
      scan.open(bytes);
      const start = scan.space(from);
      if (bytes[start] !== 123) return false;
      const end = members(LINE, start + 1);
      return end !== UNUSUAL && scan.space(end) >= to;
    },
    has,
    startOf: (object, name) => starts[object * COUNT + name]!,
    endOf: (object, name) => ends[object * COUNT + name]!,
    valueOf: (object, name) => values[object * COUNT + name]!,
    textOf,
    lists,
  };
}

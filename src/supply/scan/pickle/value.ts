/**
 * What a pickle's stack holds, as far as a scan needs to know it. Plain JavaScript values stand for Python's None, bool, int
 * and short str; everything else is one of the objects below. Nothing here is a Python object, and nothing is called.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Opaque
  | LongText
  | Bytes
  | Tuple
  | List
  | Dict
  | SetValue
  | GlobalName
  | Made
  | Persistent;

/** A value whose content does not matter: a float, a huge int, a buffer from elsewhere. */
export interface Opaque {
  readonly kind: 'float' | 'huge int' | 'buffer';
}

/** A text that is longer than {@link SHORT}, in the stream as UTF-8 or, from Python 2, as Latin-1. */
export interface LongText {
  readonly kind: 'long text';
  readonly offset: number;
  readonly length: number;
  readonly encoding: 'utf-8' | 'latin1';
}

/** Bytes in the stream; `offset` is their place in the content, or -1 for those made of a text. */
export interface Bytes {
  readonly kind: 'bytes';
  readonly offset: number;
  readonly length: number;
  /** The first 16, each as a character. */
  readonly head: string;
}

export interface Tuple {
  readonly kind: 'tuple';
  readonly items: readonly Value[];
  /** Values below it, counted as often as they are reached: what hashing or copying it costs. */
  readonly weight: number;
}

export interface List {
  readonly kind: 'list';
  readonly items: Value[];
  /** Items that were not kept. */
  dropped: number;
}

/** A dictionary. Its table is made when somebody looks something up: nobody does in a vocabulary of a million words, and making it takes a third of the time of reading that. */
export class Dict {
  readonly kind = 'dict';
  /** Entries that were not kept: too many, or of other keys. */
  dropped = 0;
  /** The first key that begins and ends with two underscores. */
  dunder: string | undefined;
  readonly #entries = new Map<Key, Value>();
  /** Lists of keys and values in turn that are not in the table yet. */
  #waiting: (readonly Value[])[] = [];

  /** Entries with keys of None, bool, int or short str. */
  get entries(): Map<Key, Value> {
    for (const items of this.#waiting)
      for (let i = 0; i < items.length; i += 2) this.#entries.set(items[i] as Key, items[i + 1]!);
    this.#waiting = [];
    return this.#entries;
  }

  /** Adds an entry, or gives the one with this key another value. */
  put(key: Key, value: Value): void {
    this.putAll([key, value]);
  }

  /** As {@link put} for keys and values in turn; the list belongs to the dictionary from then on. */
  putAll(entries: readonly Value[]): void {
    this.#waiting.push(entries);
  }
}

/** A dictionary's key that can be looked up. */
export type Key = null | boolean | number | bigint | string;

export interface SetValue {
  readonly kind: 'set';
}

/** Something imported by name. */
export interface GlobalName {
  readonly kind: 'global';
  readonly module: string;
  readonly name: string;
  /** May be called, with its arguments looked at, but not be handed to anything that would call it later. */
  readonly guarded: boolean;
}

/** What a call gave. */
export interface Made {
  readonly kind: 'made';
  /** What was called. */
  readonly by: Value;
  readonly args: Value;
  /** How it may be filled: as an instance, and as a mapping or sequence where the class is one. */
  readonly fill: 'instance' | 'mapping' | 'sequence' | 'unknown';
  /** What BUILD gave it last. */
  state: Value | undefined;
  /** What SETITEM(S) put into it. */
  readonly mapping: Dict | undefined;
}

/** What a persistent id stands for. */
export interface Persistent {
  readonly kind: 'persistent';
  readonly id: Value;
}

/** Texts up to this length are kept whole. */
export const SHORT = 256;

export const FLOAT: Opaque = { kind: 'float' };
export const HUGE_INT: Opaque = { kind: 'huge int' };
export const BUFFER: Opaque = { kind: 'buffer' };
export const SET: SetValue = { kind: 'set' };

/** The kind of a value that is an object, or `undefined` for plain ones. */
export function kindOf(value: Value | undefined) {
  return typeof value === 'object' && value !== null ? value.kind : undefined;
}

export function newDict(): Dict {
  return new Dict();
}

/** The entries of a dictionary, or of an instance that is a mapping; `undefined` for everything else. */
export function mappingOf(value: Value | undefined): Dict | undefined {
  if (kindOf(value) === 'dict') return value as Dict;
  return kindOf(value) === 'made' ? (value as Made).mapping : undefined;
}

/** What a call of `by` gives. */
export function made(by: Value, args: Value, fill: Made['fill']): Made {
  return {
    kind: 'made',
    by,
    args,
    fill,
    state: undefined,
    mapping: fill === 'mapping' ? newDict() : undefined,
  };
}

export function isGlobal(value: Value | undefined): value is GlobalName {
  return kindOf(value) === 'global';
}

/** The items of a tuple; `undefined` for everything else. */
export function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  return kindOf(value) === 'tuple' ? (value as Tuple).items : undefined;
}

/** A value as a report shows it: Python's spelling, short, quotes around attacker-controlled text. */
export function show(value: Value | undefined, most = 120): string {
  const text = spelled(value, 3);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function spelled(value: Value | undefined, depth: number): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 120));
  if (depth === 0) return '…';
  const some = (items: readonly Value[]) => items.slice(0, 6).map((item) => spelled(item, depth - 1));
  switch (value.kind) {
    case 'tuple':
      return `(${some(value.items).join(', ')})`;
    case 'list':
      return `[${some(value.items).join(', ')}]`;
    case 'global':
      return `${value.module}.${value.name}`;
    case 'bytes':
      return `${value.length} bytes`;
    case 'dict':
      return `{${[...value.entries.keys()]
        .slice(0, 6)
        .map((key) => spelled(key, depth - 1))
        .join(', ')}}`;
    case 'made':
      return `${spelled(value.by, depth - 1)}(…)`;
    case 'persistent':
      return `persistent ${spelled(value.id, depth - 1)}`;
    default:
      return value.kind;
  }
}

import { Memo } from './memo.ts';
import { OPCODES } from './opcodes.ts';
import { PickleError, type PickleReader } from './reader.ts';
import { Stack, tooMany } from './stack.ts';
import {
  BUFFER,
  type Bytes,
  type Dict,
  type GlobalName,
  itemsOf,
  type Key,
  kindOf,
  type List,
  type LongText,
  mappingOf,
  newDict,
  SET,
  type Tuple,
  type Value,
} from './value.ts';
import { isDunder, type World } from './world.ts';

/** What the machine may hold. */
export interface MachineLimits {
  readonly stack: number;
  readonly memo: number;
  /** Objects that are made, and items of tuples: what a chain of them may hold on to. */
  readonly objects: number;
  /** Items of lists and dictionaries that are kept; more are counted and dropped, except in small dictionaries. */
  readonly kept: number;
  /** Entries of small dictionaries that are kept on top of that. */
  readonly small: number;
}

export const MACHINE_LIMITS: MachineLimits = {
  stack: 1_000_000,
  memo: 1_000_000,
  objects: 5_000_000,
  kept: 300_000,
  small: 1_000_000,
};

/** A dictionary of at most this many entries describes something and is kept whole. */
const SMALL = 16;

/** A value that weighs more than this many times what it took to write it is a bomb; see {@link Tuple.weight}. */
const BOMB = 50_000_000;

/**
 * Runs a pickle's opcodes on a stack and a memo of {@link Value}s, as CPython's C unpickler does, without making a Python
 * object or calling anything. Stack underflow, a missing memo entry and operands of a wrong type end it where they would end
 * CPython. Source: Modules/_pickle.c and Lib/pickle.py of CPython 3.14.
 */
export class PickleMachine {
  #stack: Stack;
  #memo = new Memo();
  protocol = 0;
  /** Opcodes that were run. */
  count = 0;
  /** Byte where the current frame ends; 0 outside frames. */
  frameEnd = 0;
  readonly #world: World;
  readonly #limits: MachineLimits;
  #objects = 0;
  #kept = 0;
  #small = 0;
  #bomb = false;

  constructor(world: World, limits = MACHINE_LIMITS) {
    this.#world = world;
    this.#limits = limits;
    this.#stack = new Stack(limits.stack);
  }

  /** A machine in the same state that answers to another world. */
  fork(world: World): PickleMachine {
    const twin = new PickleMachine(world, this.#limits);
    twin.#stack = this.#stack.copy();
    twin.#memo = this.#memo.copy();
    twin.protocol = this.protocol;
    return twin;
  }

  /**
   * Runs the opcode that `reader` stands on. True when it was STOP; the result is then {@link result}.
   * Errors: {@link PickleError} where CPython would stop, too; `scan/limit` past a limit of the machine.
   */
  step(reader: PickleReader): boolean {
    const { at, value } = reader;
    const { name, pushes } = OPCODES[reader.code]!;
    this.count++;
    this.#frame(name, at, reader.position);
    // First what a large pickle mostly consists of: a switch over texts goes through them in order.
    if (pushes) {
      this.#stack.push(value);
      return false;
    }
    switch (name) {
      case 'MEMOIZE':
        this.#remember(this.#memo.size);
        break;
      case 'STOP':
        this.result = this.#stack.pop();
        return true;
      case 'PROTO':
        if ((value as number) > 5) throw new PickleError(`protocol ${value}`);
        if (this.count > 1) this.#world.odd('PROTO after the beginning', at);
        this.protocol = value as number;
        break;
      case 'FRAME':
        this.#openFrame(value as number, at, reader);
        break;
      case 'MARK':
        this.#stack.setMark();
        break;
      case 'POP':
        this.#stack.drop();
        break;
      case 'POP_MARK':
        this.#stack.dropToMark();
        break;
      case 'DUP':
        this.#stack.push(this.#stack.top());
        break;
      case 'NONE':
        this.#stack.push(null);
        break;
      case 'NEWTRUE':
        this.#stack.push(true);
        break;
      case 'NEWFALSE':
        this.#stack.push(false);
        break;
      case 'EMPTY_LIST':
        this.#makes(1);
        this.#stack.push(newList());
        break;
      case 'EMPTY_TUPLE':
        this.#stack.push(this.#tuple([], at));
        break;
      case 'EMPTY_DICT':
        this.#makes(1);
        this.#stack.push(newDict());
        break;
      case 'EMPTY_SET':
        this.#stack.push(SET);
        break;
      case 'BINBYTES':
      case 'SHORT_BINBYTES':
      case 'BINBYTES8':
      case 'BYTEARRAY8':
        this.#world.bytes(value as Bytes);
        this.#stack.push(value);
        break;
      case 'TUPLE':
        this.#stack.push(this.#tuple(this.#stack.popToMark(), at));
        break;
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3':
        this.#stack.push(this.#tuple(this.#stack.popMany(Number(name.at(-1))), at));
        break;
      case 'LIST': {
        this.#makes(1);
        const list = newList();
        const items = this.#stack.popToMark();
        for (const item of items) this.#hands(item, at);
        this.#extend(list, items);
        this.#stack.push(list);
        break;
      }
      case 'DICT': {
        this.#makes(1);
        const dict = newDict();
        this.#setItems(dict, this.#stack.popToMark(), at);
        this.#stack.push(dict);
        break;
      }
      case 'FROZENSET':
        this.#stack.popToMark();
        this.#stack.push(SET);
        break;
      case 'APPEND': {
        const [item] = this.#stack.popMany(1);
        this.#append([item!], at);
        break;
      }
      case 'APPENDS':
        this.#append(this.#stack.popToMark(), at);
        break;
      case 'SETITEM':
        this.#setItems(undefined, this.#stack.popMany(2), at);
        break;
      case 'SETITEMS':
        this.#setItems(undefined, this.#stack.popToMark(), at);
        break;
      case 'ADDITEMS': {
        const items = this.#stack.popToMark();
        const target = this.#stack.top();
        if (kindOf(target) !== 'set' && items.length > 0) this.#world.fill(target, 'ADDITEMS', undefined, at);
        break;
      }
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET': {
        const found = this.#memo.get(value as number);
        if (found === undefined) throw new PickleError(`the memo holds nothing at ${value}`);
        this.#stack.push(found);
        break;
      }
      case 'PUT':
      case 'BINPUT':
      case 'LONG_BINPUT':
        this.#remember(value as number);
        break;
      case 'GLOBAL':
        this.#stack.push(this.#world.global(value as string, reader.second, this.protocol, at));
        break;
      case 'STACK_GLOBAL': {
        const [module, global] = this.#stack.popMany(2).map(nameIn);
        if (module === undefined || global === undefined)
          throw new PickleError('STACK_GLOBAL on something other than two texts');
        this.#stack.push(this.#world.global(module, global, this.protocol, at));
        break;
      }
      case 'INST': {
        // The unpickler in Python, which joblib uses, imports before it looks for the mark.
        const callee = this.#world.global(value as string, reader.second, this.protocol, at);
        const args = this.#tuple(this.#stack.popToMark(), at);
        this.#stack.push(this.#world.call(callee, args, undefined, 'INST', at));
        break;
      }
      case 'OBJ': {
        const [callee, ...args] = this.#stack.popToMark();
        if (callee === undefined) throw new PickleError('OBJ without a class');
        this.#stack.push(this.#world.call(callee, this.#tuple(args, at), undefined, 'OBJ', at));
        break;
      }
      case 'REDUCE':
      case 'NEWOBJ': {
        this.#makes(1);
        const [callee, args] = this.#stack.popMany(2);
        if (itemsOf(args) === undefined) this.#world.odd(`${name} with arguments that are no tuple`, at);
        this.#stack.push(this.#world.call(callee!, args!, undefined, name, at));
        break;
      }
      case 'NEWOBJ_EX': {
        this.#makes(1);
        const [callee, args, kwargs] = this.#stack.popMany(3);
        this.#stack.push(this.#world.call(callee!, args!, kwargs, name, at));
        break;
      }
      case 'BUILD': {
        const [state] = this.#stack.popMany(1);
        this.#hands(state!, at);
        this.#world.fill(this.#stack.top(), 'BUILD', state, at);
        break;
      }
      case 'PERSID':
        this.#stack.push(this.#world.persistent(value, at));
        break;
      case 'BINPERSID':
        this.#stack.push(this.#world.persistent(this.#stack.pop(), at));
        break;
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        if ((value as number) <= 0) throw new PickleError(`extension code ${value}`);
        this.#stack.push(this.#world.extension(value as number, at));
        break;
      case 'NEXT_BUFFER':
        this.#world.odd('NEXT_BUFFER, a buffer that is not in the stream', at);
        this.#stack.push(BUFFER);
        break;
      case 'READONLY_BUFFER':
        this.#stack.top();
        break;
      default:
        throw new PickleError(`the opcode ${name}, which nobody runs`);
    }
    return false;
  }

  /** What STOP gave back. */
  result: Value | undefined;

  /**
   * Frames are a promise on where reads begin and end. Loaders differ in whether they keep to it, so an opcode across a
   * frame's end is read differently by two of them (cpython#154848).
   */
  #frame(name: string, at: number, end: number): void {
    if (this.frameEnd === 0) return;
    if (at >= this.frameEnd) this.frameEnd = 0;
    else if (end > this.frameEnd) {
      this.#world.straddles(`${name} from byte ${at} to ${end} across a frame's end at ${this.frameEnd}`, at);
      this.frameEnd = 0;
    } else if (name === 'STOP' && end < this.frameEnd) {
      this.#world.odd(`STOP ${this.frameEnd - end} bytes before the frame's end`, at);
    }
  }

  #openFrame(length: number, at: number, reader: PickleReader): void {
    const end = reader.position + length;
    if (this.frameEnd > 0) this.#world.straddles(`FRAME inside a frame that ends at ${this.frameEnd}`, at);
    if (end > reader.size) {
      this.#world.straddles(`FRAME of ${length} bytes, past the end of the content`, at);
      this.frameEnd = 0;
    } else this.frameEnd = end;
  }

  #remember(index: number): void {
    if (this.#memo.size >= this.#limits.memo) throw tooMany(this.#limits.memo, 'entries of the memo');
    this.#memo.set(index, this.#stack.top());
  }

  #makes(count: number): void {
    this.#objects += count;
    if (this.#objects > this.#limits.objects) throw tooMany(this.#limits.objects, 'objects');
  }

  #tuple(items: readonly Value[], at: number): Tuple {
    this.#makes(1 + items.length);
    let weight = 1;
    for (const item of items) {
      weight += kindOf(item) === 'tuple' ? (item as Tuple).weight : 1;
      this.#hands(item, at);
    }
    if (weight > BOMB && !this.#bomb) {
      this.#bomb = true;
      this.#world.unfolds(weight, at);
    }
    return { kind: 'tuple', items, weight };
  }

  #hands(item: Value, at: number): void {
    if (kindOf(item) === 'global' && (item as GlobalName).guarded)
      this.#world.escapes(item as GlobalName, at);
  }

  #append(items: readonly Value[], at: number): void {
    for (const item of items) this.#hands(item, at);
    const target = this.#stack.top();
    if (kindOf(target) === 'list') this.#extend(target as List, items);
    else if (items.length > 0) this.#world.fill(target, 'APPENDS', items[0], at);
  }

  #extend(list: List, items: readonly Value[]): void {
    for (const item of items) {
      if (this.#kept >= this.#limits.kept) list.dropped++;
      else {
        this.#kept++;
        list.items.push(item);
      }
    }
  }

  #setItems(given: Dict | undefined, items: readonly Value[], at: number): void {
    if (items.length % 2 !== 0) throw new PickleError('a key without a value');
    const target = given ?? this.#stack.top();
    const dict = mappingOf(target);
    if (dict === undefined) {
      if (items.length > 0) this.#world.fill(target, 'SETITEMS', items[0], at);
      return;
    }
    let keys = true;
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      this.#hands(items[i + 1]!, at);
      if (typeof key === 'string' && dict.dunder === undefined && isDunder(key)) dict.dunder = key;
      keys &&= isKey(key);
    }
    const count = items.length / 2;
    if (keys && this.#kept + count <= this.#limits.kept) {
      this.#kept += count;
      dict.putAll(items);
      return;
    }
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (!isKey(key) || !this.#keeps(dict, key)) dict.dropped++;
      else dict.put(key, items[i + 1]!);
    }
  }

  /** Whether one more entry is kept; a key that comes again counts again. Errors: `scan/limit` past those that are always kept. */
  #keeps(dict: Dict, key: Key): boolean {
    if (this.#kept < this.#limits.kept) {
      this.#kept++;
      return true;
    }
    const { entries } = dict;
    if (entries.has(key)) return true;
    if (entries.size >= SMALL) return false;
    if (++this.#small > this.#limits.small)
      throw tooMany(this.#limits.small, 'entries of small dictionaries');
    return true;
  }
}

/** A text as a name; a long one is none that is known, and a name all the same. */
function nameIn(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return kindOf(value) === 'long text' ? `(${(value as LongText).length} characters)` : undefined;
}

function newList(): List {
  return { kind: 'list', items: [], dropped: 0 };
}

function isKey(value: Value): value is Key {
  return value === null || typeof value !== 'object';
}
